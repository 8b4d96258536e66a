/*
 * Web shells that start programs, or ask the system.
 * Ids WS-04, WS-05, WS-08. Each rule asks for a server-side context ("<%" or
 * runat=server), so that scripts meant for the browser do not match, and bounds the file size.
 * Examples are inert: the code stands in a server-side comment and is spelt with escapes. Names such
 * as "Field[" and "Decoded[" stand in the lines that triage/formats/page_flow.c adds to a page.
 */

rule WS_04_sportsball
{
    meta:
        id = "WS-04"
        title = "Encrypted command page (SPORTSBALL)"
        description = "Cookie name or key of SPORTSBALL, or a page that decrypts a cookie and starts a process with it."
        level = "critical"
        confidence = "certain"
        tags = "attack.persistence,attack.t1505.003,attack.g0125"
        reference = "https://www.volexity.com/blog/2021/03/02/active-exploitation-of-microsoft-exchange-zero-day-vulnerabilities/"
        author = "extriage"
        hit1 = "<%-- Requ\x65st.Cookies[\"fqr\x73pt\"] --%>"
        hit2 = "<%-- new R\x69jndaelManaged(); Requ\x65st.Cookies[\"a\"]; Process.St\x61rt(\"b\") --%>"
        miss1 = "<%@ Page %><% var c = Request.Cookies[\"lang\"]; %>"
        miss2 = "<%@ Page %><% var a = new AesManaged(); Response.Cookies.Add(c); %>"
    strings:
        $cookie = "fqrspt" ascii wide
        $key = "ZN2aDAB4rXsszEvCLrzgcvQ4oi5J1TuiRULlQbYwldE=" ascii wide
        $aes = /(Rijndael|AesManaged)/ ascii wide
        $cookies = "Request.Cookies" nocase ascii wide
        $start = /Process\.Start\s{0,4}\(|ProcessStartInfo/ ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and ($cookie or $key or ($aes and $cookies and $start))
}

rule WS_05_command_page
{
    meta:
        id = "WS-05"
        title = "Page that starts programs for the client"
        description = "Server-side code that reads the request, or a field of its own form, and starts a process, a command interpreter or PowerShell: ASPXSpy, cmdasp and their kin."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1059.003"
        reference = "https://attack.mitre.org/software/S0073/"
        author = "extriage"
        hit1 = "<%@ Page Language=\"C#\" %><%-- System.Diagnostics.Pr\x6fcess.Start(Requ\x65st.Form[\"c\"]) --%>"
        hit2 = "<%@ Page %><%-- CreateObject(\"WScript.Sh\x65ll\").Exec(Requ\x65st(\"c\")) --%>"
        hit3 = "<%@ Import Namespace=\"System.Diagnostics\" %><%-- Dim p As New Pr\x6fcessStartInfo(\"cmd.exe\"); p.Arguments = \"/c \" + xcmd.Text --%>"
        hit4 = "@using System.Diagnostics\n@{ Pr\x6fcess.Start(\"c\", Requ\x65st[\"x\"]); }"
        hit5 = "<object runat=\"server\" id=s classid=\"clsid:72C24DD5-D70A-\x34\x338B-8A42-98424B88AFB8\"></object><%-- s.exec(requ\x65st(\"x\")) --%>"
        hit6 = "<%@ Page %><%-- GetObject(\"winmgm\x74s:\"); Win32_Pr\x6fcess; Requ\x65st[\"a\"] --%>"
        hit7 = "<%@ Page Language=\"VB\" %><%-- Dim p As New Pr\x6fcessStartInfo(what.text) : p.Argum\x65nts = how.text --%><asp:TextBox id=\"what\" runat=\"server\" /><asp:TextBox id=\"how\" runat=\"server\" />"
        hit9 = "<%@ Page Language=\"C#\" %><%-- var t = new TcpClient(a, b); var p = new Pr\x6fcess(); p.StartInfo.FileName = \"cm\x64.exe\"; p.StartInfo.RedirectStandardInput = true; --%>"
        hit8 = "<%@ W\x65bHandler Class=\"H\" %> /* inert */ p.FileName = \"cm\x64.exe\"; p.Argum\x65nts = \"/c \" + line; Pr\x6fcess.Start(p);"
        miss7 = "<%@ Page %><script>var shell = new ActiveXObject(\"WScript.Shell\"); shell.RegWrite(key, \"\");</script><%= Request[\"id\"] %>"
        miss8 = "<%@ WebHandler %> var id = context.Request[\"id\"]; var p = new Process(); p.StartInfo.FileName = ffmpeg; p.StartInfo.Arguments = \"-i \" + source; p.Start();"
        miss6 = "<%@ Page %><% var p = new ProcessStartInfo(\"convert.exe\"); p.Arguments = \"-resize 50% \" + Path.GetFileName(source); Process.Start(p); %><asp:TextBox id=\"source2\" runat=\"server\" />"
        miss1 = "<%@ Page Language=\"C#\" %><%@ Import Namespace=\"System.Diagnostics\" %><% Trace.Write(Request.Url.ToString()); %>"
        miss2 = "<%@ Page %><p>Start cmd.exe and type ipconfig.</p>"
        miss3 = "<% Process.Start(\"x\") %>"
        miss4 = "<%@ Page %><p>A new process (of learning) starts.</p><%= Request[\"id\"] %>"
        miss5 = "<%@ Page Language=\"C#\" %><% TimeSpan up = DateTime.Now - System.Diagnostics.Process.GetCurrentProcess().StartTime; %><%= Request[\"id\"] %>"
    strings:
        $process = /System\.Diagnostics\.Process(StartInfo)?\s{0,4}[^.\w\s]/ nocase ascii wide
        $start_info = /\bnew\s{1,4}(System\.Diagnostics\.|Diagnostics\.)?(ProcessStartInfo\b|Process\s{0,4}(\(\s{0,4}\)|[;{]))/ nocase ascii wide
        $start = /\bProcess\.Start\s{0,4}\(/ nocase ascii wide
        $wscript = /(WScript\.Shell|Shell\.Application|72C24DD5-D70A-438B-8A42-98424B88AFB8|13709620-C279-11CE-A49E-444553540000|F935DC22-1CF0-11D0-ADB9-00C04FD58A0B)/ nocase ascii wide
        $wscript_made = /\b(CreateObject|GetTypeFromProgID)\s{0,4}\(?\s{0,4}"(WScript\.Shell|Shell\.Application)/ nocase ascii wide
        $wscript_browser = /ActiveXObject\s{0,4}\(\s{0,4}["'](WScript\.Shell|Shell\.Application)/ nocase ascii wide
        $net = /<%\s{0,4}@\s{0,8}(page|control|master|webhandler|webservice|register)\b/ nocase ascii wide
        $wmi = /(winmgmts:|ManagementClass\s{0,4}\(|InvokeMethod\s{0,4}\()/ nocase ascii wide
        $wmi_process = "Win32_Process" nocase ascii wide
        $socket = /\bnew\s{1,4}(System\.Net\.Sockets\.|Net\.Sockets\.)?(TcpClient|Socket)\b/ nocase ascii wide
        $redirect = /\bRedirectStandard(Input|Output)\b/ nocase ascii wide
        $visual_basic = /\bInteraction\.Shell\s{0,4}\(|[^.\w]Shell\s{0,4}\(\s{0,4}("[^"\r\n]{0,40}"\s{0,4}&\s{0,4})?Request\s{0,4}[(.\[]/ nocase ascii wide
        $powershell = "System.Management.Automation" nocase ascii wide
        $script = /\b(AddScript|CreatePipeline|CreateNestedPipeline)\s{0,4}\(/ ascii wide
        $cmd = /["'](cmd(\.exe)?|powershell(\.exe)?|[^"']{0,60}\\cmd\.exe)["']/ nocase ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies|InputStream|BinaryRead|ServerVariables)\b)/ nocase ascii wide
        $form_field = /\.(Text|Value)\b[^\r\n]{0,40}(\)|;|\r|\n|--)/ nocase ascii wide
        $given = /\b(ProcessStartInfo|Start|Arguments|FileName|Shell|Exec|Run|ShellExecute)[(=](Request\b|Field\[)/ nocase
        $line = /["']\/[ck]\s{0,4}"\s{0,4}[+&]\s{0,4}[A-Za-z_]/ nocase ascii wide
        $directive = /<%\s{0,4}@/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $code = /<%\s{0,4}[^@\s\-]/ ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 2MB and any of ($directive, $runat, $code, $razor) and
        ((any of ($process, $start_info, $start, $visual_basic) and any of ($directive, $runat, $razor) and
          ($given or (any of ($cmd, $line) and any of ($request, $form_field, $line)))) or
         ($visual_basic and $request) or
         ($wscript and $request and not $net and #wscript > #wscript_browser) or
         ($wscript_made and any of ($request, $form_field)) or
         ($wmi and $wmi_process and $request) or ($start_info and $cmd and $socket and $redirect) or
         ($powershell and $script and any of ($request, $form_field)))
}

rule WS_05_page_with_a_process
{
    meta:
        id = "WS-05"
        title = "Page that starts a program and reads the request"
        description = "Server-side code that starts a process and reads the request, which does not show how the two belong together. Pages that convert pictures, films and documents do the same."
        level = "low"
        confidence = "low"
        tags = "attack.persistence,attack.t1505.003,attack.t1059"
        reference = "https://attack.mitre.org/software/S0073/"
        author = "extriage"
        hit1 = "<%@ Page Language=\"C#\" %><%-- var p = new Pr\x6fcess(); p.StartInfo.FileName = Tool; Requ\x65st[\"id\"] --%>"
        hit2 = "<%@ W\x65bHandler %> /* inert */ Pr\x6fcess.Start(ffmpeg, options); context.Requ\x65st.Files[0]; context.Requ\x65st[\"id\"]"
        miss1 = "<%@ Page Language=\"C#\" %><%@ Import Namespace=\"System.Diagnostics\" %><% Trace.Write(Request.Url.ToString()); %>"
        miss2 = "<%@ Page Language=\"C#\" %><% TimeSpan up = DateTime.Now - System.Diagnostics.Process.GetCurrentProcess().StartTime; %><%= Request[\"id\"] %>"
    strings:
        $process = /System\.Diagnostics\.Process(StartInfo)?\s{0,4}[^.\w\s]/ nocase ascii wide
        $start_info = /\bnew\s{1,4}(System\.Diagnostics\.|Diagnostics\.)?(ProcessStartInfo\b|Process\s{0,4}(\(\s{0,4}\)|[;{]))/ nocase ascii wide
        $start = /\bProcess\.Start\s{0,4}\(/ nocase ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies|InputStream|BinaryRead)\b)/ nocase ascii wide
        $directive = /<%\s{0,4}@/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 2MB and any of ($directive, $runat, $razor) and any of ($process, $start_info, $start) and $request
}

rule WS_05_native_code
{
    meta:
        id = "WS-05"
        title = "Page that calls Windows itself to run code"
        description = "Server-side code that imports functions of Windows to make memory executable and start a thread in it, or to start a program on a socket: the pages of exploitation frameworks. No honest page does it."
        level = "critical"
        confidence = "certain"
        tags = "attack.persistence,attack.t1505.003,attack.t1106"
        reference = "https://attack.mitre.org/techniques/T1106/"
        author = "extriage"
        hit1 = "<%@ Page Language=\"C#\" %><%-- [DllImp\x6frt(\"kernel32\")] VirtualAll\x6fc CreateThr\x65ad --%>"
        hit3 = "<%@ Page Language=\"VB\" %><%-- Declare Function WinEx\x65c Lib \"kernel32\" : Requ\x65st.Form(\"c\") --%>"
        hit2 = "<%@ Page Language=\"C#\" %><%-- [DllImp\x6frt(\"ws2_32\")] WSASock\x65t; CreateProc\x65ss --%>"
        miss1 = "<%@ Page Language=\"C#\" %>[DllImport(\"kernel32\")] static extern void GlobalMemoryStatus(ref X x);"
        miss2 = "<%@ Page Language=\"C#\" %>[DllImport(\"advapi32.dll\")] static extern bool LogonUser(string u); // CreateThread"
    strings:
        $import = /DllImport\s{0,4}\(|Declare\s{1,4}(Auto\s{1,4}|Ansi\s{1,4})?Function|GetDelegateForFunctionPointer/ nocase ascii wide
        $memory = /\b(VirtualAlloc(Ex)?|VirtualProtect(Ex)?|HeapCreate|NtAllocateVirtualMemory|WriteProcessMemory)\b/ ascii wide
        $thread = /\b(CreateThread|CreateRemoteThread|QueueUserAPC|NtCreateThreadEx|EnumSystemLocales[AW]?|GetDelegateForFunctionPointer)\b/ ascii wide
        $socket = /\b(WSASocket[AW]?|WSAConnect|WSAStartup)\b/ ascii wide
        $launch = /\b(WinExec|ShellExecute(Ex)?[AW]?)\b/ ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item)\b)/ nocase ascii wide
        $program = /\bCreateProcess(AsUser|WithTokenW|WithLogonW)?[AW]?\b/ ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 4MB and any of ($tag, $runat) and $import and (($memory and $thread) or ($socket and $program) or ($launch and $request))
}

rule WS_05_listening_page
{
    meta:
        id = "WS-05"
        title = "Page that reads the traffic of the network"
        description = "Server-side code that opens a raw socket and sets it to receive all: the page listens for the passwords of others. No honest page does it."
        level = "critical"
        confidence = "high"
        tags = "attack.credential-access,attack.t1040,attack.t1505.003"
        reference = "https://attack.mitre.org/techniques/T1040/"
        author = "extriage"
        hit1 = "<%@ Page Language=\"C#\" %><%-- new Socket(AddressFamily.InterNetwork, SocketType.R\x61w, ProtocolType.IP); s.IOControl(IOControlCode.Receive\x41ll, a, b); --%>"
        hit2 = "<script runat=\"server\">/* Dim s = New Socket(AddressFamily.InterNetwork, SocketType.R\x61w, ProtocolType.IP) : s.IOControl(-174483\x30967, a, b) */</script>"
        miss1 = "<%@ Page Language=\"C#\" %><% var s = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp); // ping %>"
        miss2 = "new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.IP); s.IOControl(IOControlCode.ReceiveAll, a, b);"
    strings:
        $raw = /\bSocketType\s{0,4}\.\s{0,4}Raw\b/ ascii wide
        $all = /\bIOControl\s{0,4}\(\s{0,4}([^,\r\n]{0,60}ReceiveAll\b|-1744830\d{3}|[^,\r\n]{0,60}0x98000001|SIO_RCVALL)/ ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and $raw and $all
}

rule WS_05_sites_and_passwords
{
    meta:
        id = "WS-05"
        title = "Page that lists the sites of IIS with their passwords"
        description = "Server-side code that asks the IIS metabase for each site's anonymous user and password."
        level = "high"
        confidence = "high"
        tags = "attack.credential-access,attack.t1552.001,attack.t1505.003"
        reference = "https://attack.mitre.org/techniques/T1552/001/"
        author = "extriage"
        hit1 = "<%@ Page %><%-- new DirectoryEntry(\"IIS://localh\x6fst/W3SVC\"); p[\"AnonymousUserP\x61ss\"] --%>"
        hit2 = "<%-- set o = GetObject(\"IIS://LocalH\x6fst/W3SVC/1/ROOT\"): o.AnonymousUserP\x61ss --%>"
        miss1 = "<%@ Page %><% var e = new DirectoryEntry(\"IIS://localhost/W3SVC/1\"); %>"
        miss2 = "AnonymousUserPass and IIS://localhost/W3SVC are described here"
    strings:
        $metabase = /IIS:\/\/[^"\/\r\n]{1,60}\/W3SVC/ nocase ascii wide
        $password = /(Anonymous|WAM)UserPass/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
    condition:
        filesize < 2MB and all of them
}

rule WS_05_service_administration
{
    meta:
        id = "WS-05"
        title = "Page that drives a local FTP server's administration"
        description = "Server-side code that logs on to the administration port of Serv-U, makes a user and lets it execute a command: a way to the rights of the service."
        level = "critical"
        confidence = "high"
        tags = "attack.privilege-escalation,attack.t1068,attack.t1505.003"
        reference = "https://attack.mitre.org/techniques/T1068/"
        author = "extriage"
        hit1 = "<%-- m = \"SITE MAINTEN\x41NCE\" : u = \"-SETUSERSET\x55P\" : requ\x65st(\"c\") --%>"
        hit2 = "<%@ Page %><%-- \"SITE MAINTEN\x41NCE\"; \"-SETDOM\x41IN\" --%>"
        miss1 = "<% Response.Write(\"Site maintenance tonight\") %>"
        miss2 = "SITE MAINTENANCE and -SETUSERSETUP are commands of Serv-U"
    strings:
        $login = "SITE MAINTENANCE"
        $set = /-(SETUSERSETUP|SETDOMAIN|DELETEDOMAIN)\b/
        $tag = /<%[@=#:\-\s\w"(<']/
    condition:
        filesize < 1MB and all of them
}

rule WS_08_product_check_page
{
    meta:
        id = "WS-08"
        title = "Page that looks for security products"
        description = "Server-side page with the process names of several security products: a checker that tells the intruder what watches the server."
        level = "high"
        confidence = "high"
        tags = "attack.discovery,attack.t1518.001,attack.t1505.003"
        reference = "https://www.microsoft.com/en-us/security/blog/2021/03/25/analyzing-attacks-taking-advantage-of-the-exchange-server-vulnerabilities/"
        author = "extriage"
        hit1 = "<%-- xagt.exe; csfalconservice.exe; cbcomms.exe --%>"
        hit2 = "<%@ Page %><% var n = new[] { \"MsMpEng\", \"SentinelAgent\", \"CylanceSvc\" }; %>"
        miss1 = "<%@ Page %><p>Windows Defender (MsMpEng) is running.</p>"
        miss2 = "xagt.exe csfalconservice.exe cbcomms.exe"
    strings:
        $p01 = "xagt" nocase fullword ascii wide
        $p02 = "csfalconservice" nocase fullword ascii wide
        $p03 = "csfalconcontainer" nocase fullword ascii wide
        $p04 = "cbcomms" nocase fullword ascii wide
        $p05 = "RepMgr" fullword ascii wide
        $p06 = "MsMpEng" nocase fullword ascii wide
        $p07 = "MsSense" nocase fullword ascii wide
        $p08 = "SentinelAgent" nocase fullword ascii wide
        $p09 = "CylanceSvc" nocase fullword ascii wide
        $p10 = "ccSvcHst" nocase fullword ascii wide
        $p11 = "mcshield" nocase fullword ascii wide
        $p12 = "TaniumClient" nocase fullword ascii wide
        $p13 = "TmListen" nocase fullword ascii wide
        $p14 = "ekrn" nocase fullword ascii wide
        $p15 = "cyserver" nocase fullword ascii wide
        $p16 = "SophosHealth" nocase fullword ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 1MB and any of ($tag, $runat) and 3 of ($p*)
}
