/*
 * Assemblies that ASP.NET compiled from pages (Temporary ASP.NET Files). Detection id WS-25.
 */

rule WS_25_compiled_shell
{
    meta:
        id = "WS-25"
        title = "Compiled web shell"
        description = "The assembly of a page of aspnet_client or of the folder of the logon pages, which evaluates script or starts programs with what the request brings: proof in binary form, also when the page is gone."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "MZ\x90 ~/aspnet_client/x.aspx __ASP JScriptEvaluate get_Request get_Item"
        hit2 = "MZ\x90 ~/auth/x.aspx __ASP get_Request get_Item System.Diagnostics Process Start"
        miss1 = "MZ\x90 ~/auth/logon.aspx __ASP get_Request get_Item System.Diagnostics DebuggerNonUserCodeAttribute Page_Load"
        miss2 = "MZ\x90 ~/aspnet_client/x.aspx __ASP get_Response Write"
    strings:
        $client = "aspnet_client" ascii wide nocase
        $auth = "/auth/" ascii wide nocase
        $auth_back = "\\auth\\" ascii wide nocase
        $evaluate = "JScriptEvaluate"
        $request = "get_Request"
        $item = "get_Item"
        $process = "Process" fullword
        $start = "Start" fullword
        $assembly = "Assembly" fullword
        $load = "Load" fullword
        $create = "CreateInstance" fullword
    condition:
        uint16be(0) == 0x4D5A and filesize < 128KB and any of ($client, $auth, $auth_back) and
        ($evaluate or ($request and $item and (($process and $start) or ($assembly and $load and $create))))
}
