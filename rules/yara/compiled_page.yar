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

rule WS_25_compiled_page_that_runs_what_it_gets
{
    meta:
        id = "WS-25"
        title = "Compiled page that runs what the request brings"
        description = "An assembly that ASP.NET made from a page, in any folder, which evaluates script, starts programs and reads what they print, loads programs from decrypted bytes, or calls Windows to run code."
        level = "high"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "MZ\x90 App_Web_a1b2c3d4 __ASP get_Request JScriptEv\x61luate"
        hit2 = "MZ\x90 App_Web_a1b2c3d4 __ASP get_Request get_Item Pr\x6fcessStartInfo get_StandardOutput set_Arguments"
        hit3 = "MZ\x90 App_Web_a1b2c3d4 __ASP get_Request BinaryR\x65ad Assembly Load CreateInstance CreateDecryptor"
        miss1 = "MZ\x90 App_Web_a1b2c3d4 __ASP get_Request get_Item System.Diagnostics DebuggerNonUserCodeAttribute"
        miss2 = "MZ\x90 Tool get_Request ProcessStartInfo get_StandardOutput set_Arguments"
    strings:
        $compiled = "App_Web_" ascii wide nocase
        $page = "__ASP"
        $request = "get_Request" fullword
        $evaluate = "JScriptEvaluate"
        $process = /\b(ProcessStartInfo|set_FileName)\b/
        $output = /\b(get_StandardOutput|get_StandardError)\b/
        $assembly = "Assembly" fullword
        $load = "Load" fullword
        $create = /\b(CreateInstance|InvokeMember|get_EntryPoint)\b/
        $bytes = /\b(BinaryRead|CreateDecryptor|FromBase64String)\b/
        $memory = /\bVirtualAlloc(Ex)?\b/
        $thread = /\b(CreateThread|CreateRemoteThread|QueueUserAPC)\b/
    condition:
        uint16be(0) == 0x4D5A and filesize < 512KB and $compiled and $page and
        (($request and ($evaluate or ($process and $output) or ($assembly and $load and $create and $bytes))) or
         ($memory and $thread))
}
