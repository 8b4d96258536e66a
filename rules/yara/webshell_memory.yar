/*
 * Web shells that load programs, tunnel, use other engines or hook themselves in.
 * Ids WS-06, WS-07, WS-09, WS-36. Each rule asks for a server-side context ("<%" or
 * runat=server), so that scripts meant for the browser do not match, and bounds the file size.
 * Examples are inert: the code stands in a server-side comment and is spelt with escapes. Names such
 * as "Field[" and "Decoded[" stand in the lines that triage/formats/page_flow.c adds to a page.
 */

rule WS_06_loader_page
{
    meta:
        id = "WS-06"
        title = "Page that loads a program from the request"
        description = "Assembly.Load of bytes that come from the request or are decoded or decrypted beside it: Godzilla, Behinder and like loaders, or one of their default keys. Pages that turn what the client sends back into objects are of the same kind."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1620"
        reference = "https://attack.mitre.org/techniques/T1620/"
        author = "extriage"
        hit1 = "<%-- Ass\x65mbly.Load(Convert.FromB\x61se64String(Requ\x65st[\"p\"])) --%>"
        hit2 = "<%-- Ass\x65mbly.Load(d).CreateInstance(\"U\"); Session[\"k\"]; new R\x69jndaelManaged().CreateDecryptor(k, k) --%>"
        hit3 = "<%-- string k = \"e45e329feb5d925b\"; --%>"
        hit4 = "<%-- Ass\x65mbly.Load(Requ\x65st.BinaryRead(n)).CreateInstance(\"U\") --%>"
        hit5 = "<%-- byte[] b = Requ\x65st.BinaryRead(n); Ass\x65mbly.Load(b); --%>"
        hit6 = "<%-- new LosFormatt\x65r().Deserialize(Requ\x65st.Form[\"a\"]) --%>"
        miss1 = "<%@ Page %><% Assembly a = Assembly.Load(\"System.Web\"); %><%= Request.Path %>"
        miss2 = "<%@ Assembly Name=\"System.Data\" %><% byte[] b = Convert.FromBase64String(Request[\"t\"]); %>"
        miss4 = "<%@ Page %><% foreach (var n in names) Assembly.Load(n); var t = Convert.FromBase64String(Request[\"t\"]); %>"
        miss3 = "<%@ Page %><% foreach (var n in names) Assembly.Load(n); %><%= Request[\"id\"] %>"
    strings:
        $load = /\b(Assembly\b.{0,40}|AppDomain\.CurrentDomain\.)\bLoad\s{0,8}\(\s{0,4}[^"'\s]/s nocase ascii wide
        $load_reflected = /GetMethod\s{0,4}\(\s{0,4}"Load"/ ascii wide
        $load_request = /\b(Assembly|AppDomain\.CurrentDomain)\s{0,4}\.\s{0,4}Load\s{0,8}\(\s{0,4}(\w{1,24}\s{0,2}[.(]\s{0,4}){0,8}Request\s{0,4}(\[|\(|\.\s{0,4}(Form|QueryString|Params|Item|Headers|Cookies|BinaryRead|InputStream|Files)\b)/ nocase ascii wide
        $object = /\bDeserialize\s{0,8}\(\s{0,4}(\w{1,24}\s{0,2}[.(]\s{0,4}){0,8}Request\s{0,4}(\[|\(|\.\s{0,4}(Form|QueryString|Params|Item|Headers|Cookies|BinaryRead|InputStream)\b)/ nocase ascii wide
        $formatter = /\b(BinaryFormatter|LosFormatter|ObjectStateFormatter|SoapFormatter|NetDataContractSerializer)\b/ ascii wide
        $xaml = /\bXamlReader\s{0,4}\.\s{0,4}(Parse|Load)\s{0,8}\(\s{0,4}(\w{1,24}\s{0,2}[.(]\s{0,4}){0,8}Request\b/ ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.)/ nocase ascii wide
        $session = /\bSession\s{0,4}[\[(]/ ascii wide
        $base64 = "FromBase64String" ascii wide
        $use = /\b(CreateInstance|InvokeMember|EntryPoint)\b/ ascii wide
        $aes = /(AesManaged|RijndaelManaged|RijndaelCipher|CreateDecryptor|TransformFinalBlock|BinaryRead|GZipStream|DeflateStream)/ ascii wide
        $xor = /\^\s{0,4}\(?\s{0,4}(\(byte\)\s{0,4})?\w{1,20}\s{0,4}\[/ ascii wide
        $key_behinder = "e45e329feb5d925b" ascii wide
        $key_godzilla = "3c6e0b8a9c15224a" ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat, $razor) and
        ((any of ($load, $load_reflected) and any of ($request, $session) and
          (any of ($aes, $xor) or ($base64 and $use))) or $load_request or
         ($object and $formatter) or $xaml or any of ($key_behinder, $key_godzilla))
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
        miss3 = "<%@ Page %><% var c = new TcpClient(\"whois.example.com\", 43); Response.Write(Request[\"domain\"]); %>"
        miss2 = "<%@ Page %><% Session[\"user\"] = Request.Headers.Get(\"X-Forwarded-For\"); %>"
    strings:
        $x_cmd = "\"X-CMD\"" nocase ascii wide
        $x_target = "\"X-TARGET\"" nocase ascii wide
        $x_status = "\"X-STATUS\"" nocase ascii wide
        $greeting = "Georg says" nocase ascii wide
        $socket = /new\s{1,4}(System\.Net\.Sockets\.|Net\.Sockets\.)?(Socket\s{0,4}\(|TcpClient\s{0,4}\(\s{0,4}[^"'\s])/ nocase ascii wide
        $connect = /\.(Begin)?Connect\s{0,4}\(/ nocase ascii wide
        $session = /\b(Session|Application)\s{0,4}([\[(]|\.Add\s{0,4}\(|\.Item)/ ascii wide
        $answer = /\bResponse\s{0,4}\.\s{0,4}(BinaryWrite|OutputStream|AddHeader|AppendHeader|Headers)/ nocase ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Headers|QueryString|Form|Params|Cookies|InputStream|BinaryRead|GetBufferlessInputStream)\b)/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 1MB and any of ($tag, $runat) and
        (2 of ($x_*) or $greeting or ($socket and $connect and any of ($session, $answer) and $request))
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
        hit3 = "<%@ WebS\x65rvice Class=\"S\" %> [WebM\x65thod] public void Go(string c) { Process.St\x61rt(c); }"
        hit4 = "<%-- x = \"<msxsl:scr\x69pt> new ActiveXObject('wscr\x69pt.shell')\" : doc.TransformN\x6fde(x) --%>"
        miss1 = "<%@ Page %><% var x = new XslCompiledTransform(); x.Load(Server.MapPath(\"a.xsl\")); %><%= Request[\"id\"] %>"
        miss3 = "<%@ WebService Class=\"S\" %> [WebMethod] public void Convert(int id) { Process.Start(converter); }"
        miss2 = "<%@ WebService Language=\"C#\" Class=\"S\" %> [WebMethod] public int Add(int a, int b) { return a + b; }"
    strings:
        $xsl = "XslCompiledTransform" ascii wide
        $transform = /\b(TransformNode|transformNodeToObject|XslTransform|XslCompiledTransform)\b/ nocase ascii wide
        $script = "msxsl:script" nocase ascii wide
        $shell = /(WScript\.Shell|Shell\.Application|Diagnostics\.Process|\beval\s{0,4}\()/ nocase ascii wide
        $xsl_script = /msxsl:script|EnableScript\s{0,4}=\s{0,4}true|XsltSettings\.TrustedXslt/ ascii wide
        $provider = /(CSharp|VB)CodeProvider|CodeDomProvider\.CreateProvider/ ascii wide
        $compile = "CompileAssemblyFromSource" ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.)/ ascii wide
        $service = /WebService/ nocase ascii wide
        $method = /\[\s{0,4}(System\.Web\.Services\.)?WebMethod/ ascii wide
        $start = /\bProcess\.Start\s{0,4}\(|new\s{1,4}(System\.Diagnostics\.)?(Process|ProcessStartInfo)\s{0,4}\(/ ascii wide
        $given = /\b(ProcessStartInfo|Start|Arguments|FileName|Exec|Run)[(=]Request\b/ nocase
        $shell_name = /["'](cmd(\.exe)?|powershell(\.exe)?)["']/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and
        (($xsl and $xsl_script and $request) or ($transform and $script and $shell) or ($provider and $compile and $request) or ($service and $method and $start and any of ($given, $shell_name)))
}

rule WS_09_php_page
{
    meta:
        id = "WS-09"
        title = "PHP page that runs what the client sends"
        description = "A value of the request evaluated, called as a function or given to the shell in PHP code, which an IIS server with PHP would run."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "<?php /* inert: @ev\x61l($_P\x4fST['a']); */ ?>"
        hit2 = "<?php /* inert: pr\x65g_replace(\"/a/e\", $_P\x4fST['a'], \"b\"); */"
        hit3 = "<?php /* inert: $_G\x45T['f']($_G\x45T['a']); sh\x65ll_exec(base64_decode($_REQU\x45ST['c'])); */"
        miss1 = "<?php $id = (int)$_GET['id']; echo htmlspecialchars($_POST['name']); exec('convert a.png b.png'); ?>"
        miss2 = "<?php $t = preg_replace('/[^a-z]/', '', $_POST['t']); call_user_func($handler, $_POST); ?>"
        miss3 = "<?php echo \"No page of the name $_GET[q] (3 others)\"; ?>"
    strings:
        $php = /<\?(php|=|\s)|<script[^>]{0,40}language\s{0,4}=\s{0,4}["']?php/ nocase
        $runs = /\b(eval|assert|system|passthru|shell_exec|popen|proc_open|exec|create_function)\s{0,4}\(\s{0,4}(\w{1,24}\s{0,4}\(\s{0,4}){0,4}["']?\s{0,4}@?\$\{?_(POST|GET|REQUEST|COOKIE|SERVER)\b/ nocase
        $replaces = /\bpreg_replace\s{0,4}\(\s{0,4}["']([^"'\r\n]{1,60})\/[imsxu]{0,4}e[imsxu]{0,4}["']\s{0,4},\s{0,4}(\w{1,24}\s{0,4}\(\s{0,4}){0,4}@?\$_(POST|GET|REQUEST|COOKIE)\b/ nocase
        $calls = /\$_(POST|GET|REQUEST|COOKIE)\s{0,4}[\[{][^\]}\r\n]{1,40}[\]}]\(/
    condition:
        filesize < 1MB and $php and any of ($runs, $replaces, $calls)
}

rule WS_09_page_that_stays_in_memory
{
    meta:
        id = "WS-09"
        title = "Page that hooks itself into the application"
        description = "A page that registers a provider of virtual files, a filter, a route or a listener of its own and beside it decodes, loads or starts something: it goes on when the file is deleted."
        level = "critical"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1620"
        reference = "https://attack.mitre.org/techniques/T1620/"
        author = "extriage"
        hit1 = "<%@ Page %><%-- HostingEnvironment.Regist\x65rVirtualPathProvider(p); FromB\x61se64String(x) --%>"
        hit2 = "<%@ Page %><%-- l = new HttpList\x65ner(); l.Pref\x69xes.Add(u); Pro\x63ess.Start(c) --%>"
        miss1 = "<%@ Application %><% HostingEnvironment.RegisterVirtualPathProvider(new EmbeddedViews()); %>"
        miss3 = "<%@ Application %><script runat=\"server\">void Application_Start() { RouteTable.Routes.Add(r); Assembly.Load(n); Convert.FromBase64String(k); }</script>"
        miss2 = "<%@ Page %><p>HttpListener and Process.Start are described below.</p>"
    strings:
        $application = /<%@\s{0,8}Application\b/ nocase
        $hook1 = /\bRegisterVirtualPathProvider(Internal)?\b/ ascii wide
        $hook2 = /new\s{1,4}(System\.Net\.)?HttpListener\s{0,4}\(/ ascii wide
        $hook3 = /\bGlobalFilters\.Filters\.Add\s{0,4}\(/ ascii wide
        $hook4 = /\bRouteTable\.Routes\.(Insert|Add)\s{0,4}\(/ ascii wide
        $act1 = "FromBase64String" ascii wide
        $act2 = /\bAssembly\b.{0,40}\bLoad\s{0,8}\(\s{0,4}[^"'\s]/ ascii wide
        $act3 = /\bProcess\.Start\s{0,4}\(|ProcessStartInfo/ ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /<script[^>]{0,80}runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and any of ($act*) and
        (any of ($hook1, $hook2) or (any of ($hook3, $hook4) and not $application))
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
        hit1 = "<%@ Application Language=\"C#\" %><%-- void Application_BeginRequest(object s, EventArgs e) { Ass\x65mbly.Load(FromB\x61se64String(x)); } --%>"
        miss3 = "<%@ Application Language=\"C#\" %><script runat=\"server\">void Application_Start() { foreach (var n in names) Register(Assembly.Load(n)); } void Application_AuthenticateRequest() { var h = Convert.FromBase64String(Token); } void Application_Error() { File.WriteAllText(LogPath, Server.GetLastError().ToString()); }</script>"
        hit2 = "<%@ Application Language=\"JScript\" %><%-- Application_BeginRequest ev\x61l(Requ\x65st.Form[\"a\"]) --%>"
        miss1 = "<%@ Application Codebehind=\"Global.asax.cs\" Inherits=\"Shop.Global\" Language=\"C#\" %>"
        miss2 = "<%@ Application Language=\"C#\" %><script runat=\"server\">void Application_BeginRequest(object s, EventArgs e) { if (Request.Url.Host == \"old\") Response.Redirect(\"/\"); }</script>"
    strings:
        $directive = /<%@\s{0,8}Application\b/ nocase ascii wide
        $hook = /Application_(BeginRequest|AuthenticateRequest|PreRequestHandlerExecute|EndRequest|Error|Start)/ ascii wide
        $act1 = /\beval\s{0,8}\(/ ascii wide
        $loaded = /\bLoad\(Request\b/
        $act3 = /\bProcess\.Start\s{0,4}\(|ProcessStartInfo/ ascii wide
        $act4 = /\bLoad\s{0,4}\(\s{0,4}(\w{1,24}\s{0,2}[.(]\s{0,4}){0,8}(FromBase64String|TransformFinalBlock|Decompress|Decrypt)\b/ ascii wide
        $act5 = /(File\.WriteAll(Text|Bytes)|StreamWriter|SaveAs|FileStream\.Write)\s{0,4}\(\s{0,4}(\w{1,20}\.){0,4}Request\b/ ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies|InputStream|BinaryRead)\b)/ nocase ascii wide
    condition:
        filesize < 1MB and $directive and $hook and (any of ($act1, $act3, $act4, $act5) or ($loaded and $request))
}
