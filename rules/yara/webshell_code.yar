/*
 * Web shells by what their code does. Each rule asks for a server-side context ("<%" or
 * runat=server), so that scripts meant for the browser do not match, and bounds the file size.
 * Examples are inert: the code stands in a server-side comment and is spelt with escapes. Logic
 * and facts: detection ids WS-01 to WS-09 and WS-36.
 */

rule WS_01_eval_of_request
{
    meta:
        id = "WS-01"
        title = "Page that evaluates what the client sends"
        description = "eval of a request value in server-side code, the core of China Chopper and its many copies; or eval with the JScript mode \"unsafe\", which no page of Microsoft uses."
        level = "critical"
        confidence = "certain"
        tags = "attack.persistence,attack.t1505.003"
        reference = "https://attack.mitre.org/software/S0020/"
        author = "extriage"
        hit1 = "<%-- inert: ev\x61l(Requ\x65st[\"x\"],\"uns\x61fe\") --%>"
        hit2 = "<%-- <script language=JScript runat=server> ev\x61l ( Requ\x65st.Item(\"y\") ) --%>"
        hit3 = "<%-- ex\x65cute requ\x65st(\"z\") --%>"
        hit4 = "<%-- ev\x61l(HttpContext.Current.Requ\x65st.Form[\"w\"]) --%>"
        miss1 = "<script type=\"text/javascript\">var o = eval(request.responseText);</script><% Response.Write(title) %>"
        miss2 = "<%@ Page Language=\"C#\" %><%# Eval(\"Name\") %><%= Request[\"id\"] %>"
        miss3 = "function evaluate(Request) { return eval(Request.body); }"
    strings:
        $request = /\beval\s{0,8}\(\s{0,8}(\w{1,20}\.){0,4}Request\s{0,4}(\[|\(|\.\s{0,4}(Item|Form|QueryString|Params|Headers|Cookies|ServerVariables)\b)/ nocase ascii wide
        $vbscript = /\b(execute|executeglobal)\s{0,4}\(?\s{0,4}request\s{0,4}(\(|\.\s{0,4}(Item|Form|QueryString|Cookies)\b)/ nocase ascii wide
        $unsafe = /\beval\s{0,8}\([^\r\n]{0,300},\s{0,8}["']unsafe["']\s{0,8}\)/ nocase ascii wide
        $tag = /<%[@=#:\-\s]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 4MB and any of ($request, $vbscript, $unsafe) and any of ($tag, $runat)
}

rule WS_02_hidden_eval
{
    meta:
        id = "WS-02"
        title = "Page with hidden evaluation of code"
        description = "Server-side script that decodes base64 into eval, builds the word \"unsafe\" from parts or keeps it aside as a string, spells names with \\u escapes, or uses the variable names of a script obfuscator."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1027"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "<%-- var a = \"un\" + \"safe\"; ev\x61l(b, a); --%>"
        hit2 = "<%-- System.Text.Encoding.UTF8.GetString(Convert.FromB\x61se64String(z)); ev\x61l(q); --%>"
        hit3 = "<script language=\"JScript\" runat=\"server\">/* var _0x1a2b3c = 1; */</script>"
        hit4 = "<%@ Page %><%-- Pro\\u0063ess, R\\u0065qu\\u0065st, \\u0053tart --%>"
        miss1 = "<%@ Page %><meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'unsafe-inline' 'unsafe-eval'\">"
        miss2 = "<%@ Page %><% var s = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(Token)); %><%# Eval(\"Name\") %>"
        miss3 = "var _0x1a2b3c = ['x']; eval(_0x1a2b3c[0]);"
        miss4 = "<%@ Page %><script>var s = '\\u003cb\\u003e \\u00e9\\u00e8\\u00fc\\u00df';</script>"
    strings:
        $split1 = /["']u["']\s{0,4}\+\s{0,4}["']nsafe["']/ ascii wide
        $split2 = /["']un["']\s{0,4}\+\s{0,4}["']safe["']/ ascii wide
        $split3 = /"uns"\s{0,4}\+\s{0,4}["']afe["']/ ascii wide
        $split4 = /'uns'\s{0,4}\+\s{0,4}["']afe["']/ ascii wide
        $split5 = /["']unsa["']\s{0,4}\+\s{0,4}["']fe["']/ ascii wide
        $split6 = /["']unsaf["']\s{0,4}\+\s{0,4}["']e["']/ ascii wide
        $unsafe = /["']unsafe["']\s{0,4}[^)\s]/ ascii wide
        $decode = /System\.Text\.Encoding.{0,60}FromBase64String.{0,200}\beval\s{0,8}\(\s{0,4}[^"']/s ascii wide
        $decode_late = /\beval\s{0,8}\(.{0,120}System\.Text\.Encoding.{0,60}FromBase64String/s ascii wide
        $directive = /<%@\s{0,8}\w/ ascii wide
        $letter = /\\u00(4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])/ nocase ascii wide
        $long_letter = /\\U000000(4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])/ ascii wide
        $obfuscator = /\bvar\s{1,8}_0x[0-9a-f]{4,}/ nocase ascii wide
        $eval = /\beval\s{0,8}\(/ ascii wide
        $jscript = /(language\s{0,4}=\s{0,4}["']?(c#|vb|jscript|csharp))[^>]{0,80}runat\s{0,4}=\s{0,4}["']?server|runat\s{0,4}=\s{0,4}["']?server[^>]{0,80}language\s{0,4}=/ nocase ascii wide
        $tag = /<%[@=#:\-\s]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 4MB and
        ((any of ($tag, $runat) and ((any of ($split*, $unsafe) and $eval) or any of ($decode, $decode_late) or
           ($directive and (#letter > 3 or #long_letter > 2)))) or
         ($obfuscator and $jscript))
}

rule WS_03_upload_page
{
    meta:
        id = "WS-03"
        title = "Small page that stores what the client sends"
        description = "A page below two kilobytes that saves an uploaded file, or one that stores data under a name from the request, or writes a request value to a file. SIMPLESEESHARP and like droppers bring the real web shell this way."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1105"
        reference = "https://www.volexity.com/blog/2021/03/02/active-exploitation-of-microsoft-exchange-zero-day-vulnerabilities/"
        author = "extriage"
        hit1 = "<%-- Requ\x65st.Files[0].Save\x41s(Server.MapPath(\"x\")); --%>"
        hit2 = "<%-- new StreamWr\x69ter(Requ\x65st.Form[\"p\"]) --%>"
        hit3 = "<%-- System.IO.File.WriteAll\x54ext(Requ\x65st[\"f\"], Requ\x65st[\"d\"]); --%>"
        hit4 = "<%-- f.Save\x41s(Server.MapPath(Requ\x65st.QueryString[\"n\"])); --%>"
        miss1 = "<%@ Page %><form runat=\"server\"><input type=\"file\" /></form><% int n = Request.Files.Count; %>"
        miss2 = "<%@ Page %><% System.IO.File.WriteAllText(LogPath, message); %>"
    strings:
        $save = /Request\.Files\s{0,8}\[?.{0,80}\.SaveAs\s{0,8}\(/s nocase ascii wide
        $save_as_told = /\.SaveAs\s{0,8}\([^;\r\n]{0,80}Request\s{0,4}(\[|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $stream = /StreamWriter\s{0,8}\(\s{0,8}Request\s{0,4}(\.|\[)/ nocase ascii wide
        $write = /File\.WriteAll(Text|Bytes)\s{0,8}\(.{0,80}Request\s{0,4}(\.|\[)/s nocase ascii wide
        $tag = /<%[@=#:\-\s]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        any of ($tag, $runat) and
        ((filesize < 2KB and $save) or (filesize < 1MB and any of ($save_as_told, $stream, $write)))
}

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
        $tag = /<%[@=#:\-\s]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and ($cookie or $key or ($aes and $cookies and $start))
}

rule WS_05_command_page
{
    meta:
        id = "WS-05"
        title = "Page that starts programs for the client"
        description = "Server-side code that reads the request and starts a process or a command interpreter: ASPXSpy, cmdasp and their kin."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1059.003"
        reference = "https://attack.mitre.org/software/S0073/"
        author = "extriage"
        hit1 = "<%@ Page Language=\"C#\" %><%-- new System.Diagnostics.Pr\x6fcess(); Requ\x65st.Form[\"c\"] --%>"
        hit2 = "<%@ Page %><%-- CreateObject(\"WScript.Sh\x65ll\").Exec(Requ\x65st(\"c\")) --%>"
        miss1 = "<%@ Page Language=\"C#\" %><%@ Import Namespace=\"System.Diagnostics\" %><% Trace.Write(Request.Url.ToString()); %>"
        miss2 = "<%@ Page %><p>Start cmd.exe and type ipconfig.</p>"
        miss3 = "<% Process.Start(\"x\") %>"
    strings:
        $process = /System\.Diagnostics\.Process(StartInfo)?\b/ ascii wide
        $start_info = /new\s{1,4}(System\.Diagnostics\.)?(Process|ProcessStartInfo)\s{0,4}\(/ ascii wide
        $start = /\bProcess\.Start\s{0,4}\(/ ascii wide
        $wscript = "WScript.Shell" nocase ascii wide
        $cmd = /["'](cmd(\.exe)?|powershell(\.exe)?|[^"']{0,60}\\cmd\.exe)["']/ nocase ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies|InputStream|BinaryRead|ServerVariables)\b)/ nocase ascii wide
        $form_field = /\.Text\b[^;\r\n]{0,40}(\)|;)/ ascii wide
        $directive = "<%@" ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($directive, $runat) and
        ((any of ($process, $start_info, $start, $wscript) and $request) or
         (any of ($process, $start_info, $start, $wscript) and $cmd and $form_field))
}

rule WS_06_loader_page
{
    meta:
        id = "WS-06"
        title = "Page that loads a program from the request"
        description = "Assembly.Load of something decoded or decrypted, next to the request or the session: Godzilla, Behinder and like loaders, or one of their default keys."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1620"
        reference = "https://attack.mitre.org/techniques/T1620/"
        author = "extriage"
        hit1 = "<%-- Ass\x65mbly.Load(Convert.FromB\x61se64String(Requ\x65st[\"p\"])) --%>"
        hit2 = "<%-- Ass\x65mbly.Load(d).CreateInstance(\"U\"); Session[\"k\"]; new R\x69jndaelManaged().CreateDecryptor(k, k) --%>"
        hit3 = "<%-- string k = \"e45e329feb5d925b\"; --%>"
        miss1 = "<%@ Page %><% Assembly a = Assembly.Load(\"System.Web\"); %><%= Request.Path %>"
        miss2 = "<%@ Assembly Name=\"System.Data\" %><% byte[] b = Convert.FromBase64String(Request[\"t\"]); %>"
    strings:
        $load = /\bAssembly\b.{0,40}\bLoad\s{0,8}\(\s{0,4}[^"'\s]/s ascii wide
        $load_reflected = /GetMethod\s{0,4}\(\s{0,4}"Load"/ ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.)/ ascii wide
        $session = /\bSession\s{0,4}\[/ ascii wide
        $aes = /(AesManaged|RijndaelManaged|CreateDecryptor|FromBase64String)/ ascii wide
        $key_behinder = "e45e329feb5d925b" ascii wide
        $key_godzilla = "3c6e0b8a9c15224a" ascii wide
        $tag = /<%[@=#:\-\s]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and
        ((any of ($load, $load_reflected) and any of ($request, $session) and $aes) or any of ($key_behinder, $key_godzilla))
}

rule WS_07_tunnel_page
{
    meta:
        id = "WS-07"
        title = "Page that tunnels connections"
        description = "Header names, the greeting or the socket-in-session pattern of reGeorg, Neo-reGeorg or suo5."
        level = "critical"
        confidence = "high"
        tags = "attack.command-and-control,attack.t1090,attack.t1505.003"
        reference = "https://github.com/sensepost/reGeorg"
        author = "extriage"
        hit1 = "<%-- Request.Headers.Get(\"X-CM\x44\"); Response.AddHeader(\"X-STAT\x55S\", \"OK\") --%>"
        hit2 = "<%-- Response.Write(\"Georg s\x61ys, 'All seems fine'\") --%>"
        hit3 = "<%-- Session.Add(\"s\", new S\x6fcket(a, b, c)); s.Connect(e); Requ\x65st.Headers.Get(\"h\"); --%>"
        miss1 = "<%@ Page %><% Response.AddHeader(\"X-STATUS\", \"OK\"); %>"
        miss2 = "<%@ Page %><% Session[\"user\"] = Request.Headers.Get(\"X-Forwarded-For\"); %>"
    strings:
        $x_cmd = "\"X-CMD\"" nocase ascii wide
        $x_target = "\"X-TARGET\"" nocase ascii wide
        $x_status = "\"X-STATUS\"" nocase ascii wide
        $greeting = "Georg says" nocase ascii wide
        $socket = /new\s{1,4}(System\.Net\.Sockets\.)?(Socket|TcpClient)\s{0,4}\(/ ascii wide
        $connect = /\.Connect\s{0,4}\(/ ascii wide
        $session = /\bSession\s{0,4}(\[|\.Add\s{0,4}\(|\.Item)/ ascii wide
        $request = /\bRequest\s{0,4}\.(Headers|QueryString|InputStream|BinaryRead)/ nocase ascii wide
        $tag = /<%[@=#:\-\s]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 1MB and any of ($tag, $runat) and
        (2 of ($x_*) or $greeting or ($socket and $connect and $session and $request))
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
        $tag = /<%[@=#:\-\s]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 1MB and any of ($tag, $runat) and 3 of ($p*)
}

rule WS_09_other_engines
{
    meta:
        id = "WS-09"
        title = "Page that runs code by another engine"
        description = "Code from the request run as an XSL script, compiled with a code provider, or started as a process by a web service method."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "<%-- new XslC\x6fmpiledTransform(); <msxsl:scr\x69pt> Requ\x65st[\"x\"] --%>"
        hit2 = "<%-- new CSharpC\x6fdeProvider().CompileAssemblyFrom\x53ource(p, Requ\x65st[\"c\"]) --%>"
        hit3 = "<%-- WebS\x65rvice --%> [WebM\x65thod] /* Process.St\x61rt(c) */"
        miss1 = "<%@ Page %><% var x = new XslCompiledTransform(); x.Load(Server.MapPath(\"a.xsl\")); %><%= Request[\"id\"] %>"
        miss2 = "<%@ WebService Language=\"C#\" Class=\"S\" %> [WebMethod] public int Add(int a, int b) { return a + b; }"
    strings:
        $xsl = "XslCompiledTransform" ascii wide
        $xsl_script = /msxsl:script|EnableScript\s{0,4}=\s{0,4}true|XsltSettings\.TrustedXslt/ ascii wide
        $provider = /(CSharp|VB)CodeProvider|CodeDomProvider\.CreateProvider/ ascii wide
        $compile = "CompileAssemblyFromSource" ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.)/ ascii wide
        $service = /WebService/ nocase ascii wide
        $method = /\[\s{0,4}(System\.Web\.Services\.)?WebMethod/ ascii wide
        $start = /\bProcess\.Start\s{0,4}\(|new\s{1,4}(System\.Diagnostics\.)?(Process|ProcessStartInfo)\s{0,4}\(/ ascii wide
        $tag = /<%[@=#:\-\s]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and
        (($xsl and $xsl_script and $request) or ($provider and $compile and $request) or ($service and $method and $start))
}

rule WS_36_global_asax
{
    meta:
        id = "WS-36"
        title = "Application file that acts on every request"
        description = "global.asax with code of its own that runs on each request and evaluates, loads, decodes or starts something. Microsoft's global.asax holds one line and no code."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "<%@ Application Language=\"C#\" %><%-- void Application_BeginRequest(object s, EventArgs e) { Ass\x65mbly.Load(x); } --%>"
        hit2 = "<%@ Application Language=\"JScript\" %><%-- Application_BeginRequest ev\x61l(Requ\x65st.Form[\"a\"]) --%>"
        miss1 = "<%@ Application Codebehind=\"Global.asax.cs\" Inherits=\"Shop.Global\" Language=\"C#\" %>"
        miss2 = "<%@ Application Language=\"C#\" %><script runat=\"server\">void Application_BeginRequest(object s, EventArgs e) { if (Request.Url.Host == \"old\") Response.Redirect(\"/\"); }</script>"
    strings:
        $directive = /<%@\s{0,8}Application\b/ nocase ascii wide
        $hook = /Application_(BeginRequest|AuthenticateRequest|PreRequestHandlerExecute|EndRequest|Error|Start)/ ascii wide
        $act1 = /\beval\s{0,8}\(/ ascii wide
        $act2 = /\bAssembly\b.{0,40}\bLoad\s{0,8}\(/s ascii wide
        $act3 = /\bProcess\.Start\s{0,4}\(|ProcessStartInfo/ ascii wide
        $act4 = "FromBase64String" ascii wide
        $act5 = /File\.WriteAll(Text|Bytes)/ ascii wide
    condition:
        filesize < 1MB and $directive and $hook and any of ($act*)
}
