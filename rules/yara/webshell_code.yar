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
        hit5 = "<%-- ev\x61l requ\x65st(chr(35)) --%>"
        hit6 = "<%-- p = Requ\x65st.Item[\"a\"]; var q = p; ev\x61l(q, u); --%>"
        hit7 = "<%-- ex\x65\"&\"cute x; x = \"Ex\" : d = requ\x65st(\"z\") : exec\x75te d --%>"
        hit8 = "<%-- for each k in requ\x65st.form : ex\x65cute(k) : next --%>"
        hit9 = "<%-- var r = Requ\x65st; ev\x61l(r[\"a\"], u); --%>"
        hit10 = "<%-- session(\"a\") = requ\x65st(\"a\") : ex\x65cute session(\"a\") --%>"
        hit4 = "<%-- ev\x61l(HttpContext.Current.Requ\x65st.Form[\"w\"]) --%>"
        miss1 = "<script type=\"text/javascript\">var o = eval(request.responseText);</script><% Response.Write(title) %>"
        miss2 = "<%@ Page Language=\"C#\" %><%# Eval(\"Name\") %><%= Request[\"id\"] %>"
        miss3 = "function evaluate(Request) { return eval(Request.body); }"
        miss4 = "<% id = Request(\"id\") : Set rs = conn.Execute(\"select a from b where c=\" & CLng(id)) %>"
        miss5 = "<% Server.Execute(Request.QueryString(\"page\") & \".asp\") %>"
        miss6 = "<%@ Page %><script>var request = new XMLHttpRequest(); var o = request.responseText; eval(o);</script>"
    strings:
        $request = /[^.\w](eval|execute|executeglobal)\s{0,8}\(\s{0,8}(""\s{0,2}[&+]\s{0,2})?(\w{1,24}\s{0,2}[.(]\s{0,4}){0,8}Request\s{0,4}(\[|\(|\.\s{0,4}(Item|Form|QueryString|Params|Headers|Cookies|ServerVariables|BinaryRead|InputStream)\b)/ nocase ascii wide
        $vbscript = /[^.\w](eval|execute|executeglobal)\s{1,4}(\w{1,24}\s{0,2}\(\s{0,4}){0,4}request\s{0,4}(\(|\.\s{0,4}(Item|Form|QueryString|Cookies|BinaryRead)\b)/ nocase ascii wide
        $session = /[^.\w](execute|executeglobal|eval)\s{0,4}\(?\s{0,4}(Session|Application)\s{0,4}[(\[]/ nocase ascii wide
        $any_request = /\bRequest\s{0,4}(\[|\(|\.)/ nocase ascii wide
        $engine = /\b(JScriptEvaluate|ExecuteStatement|AddCode)\s{0,4}\(?\s{0,4}(\w{1,24}\s{0,2}[.(]\s{0,4}){0,8}Request\s{0,4}(\[|\(|\.)/ nocase ascii wide
        $unsafe = /\beval\s{0,8}\([^\r\n]{0,300},\s{0,8}["']unsafe["']\s{0,8}\)/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 4MB and any of ($tag, $runat, $razor) and
        (any of ($request, $vbscript, $engine, $unsafe) or ($session and $any_request))
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
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 4MB and
        ((any of ($tag, $runat) and ((any of ($split*, $unsafe) and $eval) or any of ($decode, $decode_late) or
           ($directive and (#letter > 3 or #long_letter > 2)))) or
         ($obfuscator and $jscript))
}

rule WS_02_encoded_script
{
    meta:
        id = "WS-02"
        title = "Page in the form of Microsoft's script encoder"
        description = "Server-side VBScript or JScript that the script encoder made unreadable. It protects little; since the years of commercial ASP pages it is seen in web shells."
        level = "high"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1027"
        reference = "https://en.wikipedia.org/wiki/JScript.Encode"
        author = "extriage"
        hit1 = "<%@ LANGUAGE = VBScript.Enc\x6fde %><%#@~^FAAAAA==inert==^#~@%>"
        hit2 = "<script language=\"JScript.Enc\x6fde\" runat=\"server\">#@~^FAAAAA==inert==^#~@</script>"
        miss1 = "<script language=\"JScript.Encode\">#@~^FAAAAA==client==^#~@</script>"
        miss2 = "<%@ LANGUAGE=\"VBScript\" %><% ' see #@~^ %>"
    strings:
        $start = /<%\s{0,8}(@[^%]{0,80}%>\s{0,8}<%\s{0,8})?#@~\^[A-Za-z0-9+\/]{6}==/ nocase
        $script = /runat\s{0,4}=\s{0,4}["']?server[^>]{0,60}>\s{0,8}#@~\^[A-Za-z0-9+\/]{6}==/ nocase
    condition:
        filesize < 4MB and any of them
}

rule WS_02_code_built_at_run_time
{
    meta:
        id = "WS-02"
        title = "Page that runs code it puts together from what the client sends"
        description = "Classic ASP that executes a value, not a text, in a page which reads the request and turns characters into others (Chr, Asc, Mid, Xor, StrReverse, unescape)."
        level = "critical"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1027"
        reference = "https://attack.mitre.org/techniques/T1027/"
        author = "extriage"
        hit1 = "<%-- for i = 1 to n: r = r & Chr(Asc\x42(MidB(c, i, 1)) X\x6fr Asc(Mid(k, 1, 1))): next: ex\x65cute(r): requ\x65st.BinaryRead(n) --%>"
        hit2 = "<%-- Ex\x65cuteGlobal unesc\x61pe(a): b = StrRev\x65rse(requ\x65st(\"x\")) --%>"
        miss1 = "<% s = Request(\"s\") : For i = 1 To Len(s) : c = Chr(Asc(Mid(s, i, 1)) Xor 7) : Next : conn.Execute(sql) %>"
        miss2 = "<% ExecuteGlobal ReadFile(\"lib.inc\") : x = Request(\"x\") %>"
    strings:
        $run = /[^.\w](execute|executeglobal|eval)\s{0,4}(\(\s{0,4}|\s)[A-Za-z_]\w{0,30}\s{0,4}[()\r\n:%\-&]/ nocase ascii wide
        $change1 = /\bchr[wb]?\s{0,4}\(\s{0,4}[A-Za-z]/ nocase ascii wide
        $change2 = /\basc[wb]?\s{0,4}\(/ nocase ascii wide
        $change3 = /\bxor\b/ nocase ascii wide
        $change4 = "StrReverse" nocase ascii wide
        $change5 = /\bunescape\s{0,4}\(/ nocase ascii wide
        $change6 = /\bclng\s{0,4}\(\s{0,4}"&H"/ nocase ascii wide
        $request = /\brequest\s{0,4}(\(|\.\s{0,4}(Item|Form|QueryString|Cookies|BinaryRead|ServerVariables)\b)/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $packed = /[^.\w](execute|executeglobal|eval)\s{0,4}\(?\s{0,4}\w{1,30}\s{0,4}\(\s{0,4}"[^"\r\n]{200}/ nocase ascii
        $long = /"[^"\r\n ]{600}/ ascii
        $net = /<%@\s{0,8}(page|control|master|webhandler)\b/ nocase ascii wide
    condition:
        filesize < 1MB and $tag and not $net and
        ($packed or ($run and $request and (3 of ($change*) or (filesize < 8KB and 2 of ($change*)))) or ($run and $long and 2 of ($change*)))
}

rule WS_02_jscript_page
{
    meta:
        id = "WS-02"
        title = "JScript page that evaluates and reads the request"
        description = "ASP.NET pages in JScript are next to never honest; one that calls eval and reads the request is a web shell however the two are joined."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003"
        reference = "https://attack.mitre.org/software/S0020/"
        author = "extriage"
        hit1 = "<%@ Pa\x67e Language=\"JScript\" %><%-- var e = this[\"ev\"+\"\x61l\"]; e(Requ\x65st.Item[\"a\"]) --%>"
        hit2 = "<%@ W\x65bHandler Language='JScript' %><%-- ev\x61l(x); context.Requ\x65st.Form[1] --%>"
        miss1 = "<%@ Page Language=\"JScript\" %><% var n = Request.QueryString[\"n\"]; Response.Write(n); %>"
        miss3 = "<% x = Request(\"x\") %><script language=\"jscript\" runat=\"server\">function objFromJson(str) { eval(\"var t=(\" + str + \");\"); return t; }</script>"
        miss2 = "<%@ Page Language=\"C#\" %><script language=\"JScript\">eval(x)</script><%= Request[\"a\"] %>"
    strings:
        $language = /<%@\s{0,8}(page|webhandler|webservice|control|application)\b[^%]{0,200}language\s{0,4}=\s{0,4}["']?\s{0,4}jscript/ nocase ascii wide
        $load = "Page_Load" ascii wide
        $runat = /<script[^>]{0,80}(runat\s{0,4}=\s{0,4}["']?server[^>]{0,80}language\s{0,4}=\s{0,4}["']?jscript|language\s{0,4}=\s{0,4}["']?jscript[^>]{0,80}runat\s{0,4}=\s{0,4}["']?server)/ nocase ascii wide
        $eval = /\beval\b/ ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.)/ ascii wide
        $named = /["']Request["']/ ascii wide
    condition:
        filesize < 1MB and ($language or ($runat and $load)) and $eval and any of ($request, $named)
}

rule WS_02_evaluator_in_page
{
    meta:
        id = "WS-02"
        title = "Page that brings a script engine of its own"
        description = "The evaluator of JScript.NET or the script control of VBScript, called from a page that reads the request."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "<%@ W\x65bHandler Language=\"C#\" %><%-- Microsoft.JScript.Eval.JScriptEv\x61luate(a, V\x73aEngine.CreateEngine()); context.Requ\x65st[\"p\"] --%>"
        hit2 = "<%-- set s = server.createobject(\"MSScriptContr\x6fl.ScriptContr\x6fl.1\"): s.AddObject \"r\", requ\x65st: s.ex\x65cutestatement x: requ\x65st(1) --%>"
        miss1 = "<%@ Page %><p>JScriptEvaluate is documented elsewhere.</p><%= Request[\"a\"] %>"
        miss2 = "<%@ Assembly Name=\"Microsoft.JScript\" %><%= Request[\"a\"] %>"
    strings:
        $evaluate = /\bJScriptEvaluate\s{0,4}\(|VsaEngine\s{0,4}\.\s{0,4}CreateEngine/ ascii wide
        $control = /(MSScriptControl\.)?ScriptControl(\.1)?["']|0E59F1D5-1FBE-11D0-8FF2-00A0D10038BC/ nocase ascii wide
        $act = /\.\s{0,2}(eval|executestatement|addcode|run)\b/ nocase ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.)/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $method = /\[\s{0,4}(System\.Web\.Services\.)?WebMethod/ ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and any of ($request, $method) and ($evaluate or ($control and $act))
}

rule WS_02_include_of_picture
{
    meta:
        id = "WS-02"
        title = "Page that includes a picture as script"
        description = "A server-side include of a file that is a picture or an archive by its name: the script stands in there."
        level = "high"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1036"
        reference = "https://learn.microsoft.com/en-us/previous-versions/iis/6.0-sdk/ms524876(v=vs.90)"
        author = "extriage"
        hit1 = "<!-- #incl\x75de file=\"up/a.jpg\" -->"
        hit2 = "<%-- --%><!--#incl\x75de virtual='/img/b.gif'-->"
        miss1 = "<!-- #include file=\"header.inc\" -->"
        miss2 = "<!--#include virtual=\"/img/list.asp?x=b.gif\" -->"
    strings:
        $include = /<!--\s{0,8}#include\s{1,8}(file|virtual)\s{0,4}=\s{0,4}["'][^"'?]{1,120}\.(jpe?g|gif|png|bmp|ico|zip|rar)["']/ nocase
    condition:
        filesize < 1MB and any of them
}

rule WS_03_upload_page
{
    meta:
        id = "WS-03"
        title = "Page that stores what the client sends where the client says"
        description = "A file name that is the client's alone is opened for writing, or a page below a kilobyte saves an upload in one statement. SIMPLESEESHARP and like droppers bring the real web shell this way. Honest uploads choose the folder themselves."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1105"
        reference = "https://www.volexity.com/blog/2021/03/02/active-exploitation-of-microsoft-exchange-zero-day-vulnerabilities/"
        author = "extriage"
        hit1 = "<%-- Requ\x65st.Files[0].Save\x41s(Server.MapPath(\"x\")); --%>"
        hit2 = "<%-- new StreamWr\x69ter(Requ\x65st.Form[\"p\"]) --%>"
        hit3 = "<%-- System.IO.File.WriteAll\x54ext(Requ\x65st[\"f\"], Requ\x65st[\"d\"]); --%>"
        hit4 = "<%-- f.Save\x41s(Server.MapPath(Requ\x65st.QueryString[\"n\"])); --%>"
        hit5 = "<%-- string n = Requ\x65st.Form[\"n\"]; File.WriteAllByt\x65s(n, b); --%>"
        hit6 = "<%-- set f = fso.CreateT\x65xtFile(server.mappath(requ\x65st(\"n\"))) --%>"
        hit7 = "<%-- FileUpload1.Save\x41s(TextBox1.Text); --%>"
        miss1 = "<%@ Page %><form runat=\"server\"><input type=\"file\" /></form><% int n = Request.Files.Count; %>"
        miss2 = "<%@ Page %><% System.IO.File.WriteAllText(LogPath, message); %>"
        miss3 = "<%@ WebHandler %> var f = context.Request.Files[\"Filedata\"]; string folder = context.Server.MapPath(\"~/uploads/\"); f.SaveAs(folder + f.FileName);"
        miss4 = "<%@ Page %><% FileUpload1.SaveAs(Request.PhysicalApplicationPath + \"Images\\\\\" + FileUpload1.FileName); %>"
        miss5 = "<%@ Page %><% string name = Request[\"name\"]; using (var s = new FileStream(Path.Combine(folder, name), FileMode.Append)) { } %>"
    strings:
        $save = /Request\.Files\s{0,8}\[?[^;]{0,80}\.SaveAs\s{0,8}\(/ nocase ascii wide
        $opens = /\b(SaveAs|SaveToFile|WriteAllText|WriteAllBytes|AppendAllText|StreamWriter|FileStream|CreateText|AppendText|CreateTextFile|DownloadFile)\s{0,8}\(?\s{0,8}((\w{1,20}\.){0,3}MapPath\s{0,4}\(\s{0,4})?(\w{1,20}\.){0,4}Request\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $appends = /\bOpenTextFile\s{0,8}\(\s{0,8}((\w{1,20}\.){0,3}MapPath\s{0,4}\(\s{0,4})?Request\s{0,4}(\(|\.(Form|QueryString|Item)\b)[^,\r\n]{0,60},\s{0,4}[28]\b/ nocase ascii wide
        $downloads = /\bDownloadFile\s{0,8}\([^,;\r\n]{1,80},\s{0,8}((\w{1,20}\.){0,3}MapPath\s{0,4}\(\s{0,4})?(\w{1,20}\.){0,4}Request\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $field = /\b(SaveAs|WriteAllText|WriteAllBytes)\s{0,8}\(\s{0,8}((\w{1,20}\.){0,3}MapPath\s{0,4}\(\s{0,4})?\w{1,30}\.(Text|Value)\b/ ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        any of ($tag, $runat, $razor) and
        ((filesize < 1KB and $save) or (filesize < 1MB and any of ($opens, $appends, $downloads, $field)))
}

rule WS_03_page_that_reads_files
{
    meta:
        id = "WS-03"
        title = "Page that hands out any file that the client names"
        description = "A path that is the client's alone, without a folder of the page's own, is opened for reading or sent. Careless downloads do so, too."
        level = "medium"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1005"
        reference = "https://attack.mitre.org/techniques/T1005/"
        author = "extriage"
        hit1 = "<%-- Response.WriteF\x69le(Requ\x65st[\"f\"]); --%>"
        hit2 = "<%-- new StreamReader(Requ\x65st.QueryString[\"f\"]).ReadToEnd() --%>"
        miss1 = "<%@ Page %><% Response.TransmitFile(Server.MapPath(\"~/files/\") + Request[\"f\"]); %>"
        miss2 = "<%@ Page %><% new StreamReader(Request.InputStream).ReadToEnd(); %>"
    strings:
        $read = /\b(WriteFile|TransmitFile|ReadAllText|ReadAllBytes|ReadAllLines|StreamReader|LoadFromFile)\s{0,8}\(\s{0,8}(\w{1,20}\.){0,4}Request\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 512KB and any of ($tag, $razor) and $read
}

rule WS_03_page_that_writes_pages
{
    meta:
        id = "WS-03"
        title = "Page that writes another page with script in it"
        description = "Server-side code that holds the text of a page which evaluates or starts what the client sends, and a call that writes files."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1105"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "<%@ W\x65bHandler Language=\"C#\" %><%-- var f = File.CreateT\x65xt(p); f.Write(\"<% ex\x65cute requ\x65st(1) %>\"); --%>"
        hit2 = "<%-- File.WriteAllT\x65xt(\"x.aspx\", \"<%@ Pa\x67e Language='JScript' %> ev\x61l(Requ\x65st[0])\"); --%>"
        miss1 = "<%@ Page %><% File.WriteAllText(path, \"<%@ Page Title='x' %>\"); %>"
        miss2 = "<%@ Page %><% Response.Write(\"<% eval %>\"); %>"
    strings:
        $page = /["'][^"'\r\n]{0,60}<%[^\r\n]{0,200}(eval|execute|executeglobal|process|wscript)\b[^\r\n]{0,120}request/ nocase ascii wide
        $write = /(CreateText|WriteAllText|WriteAllBytes|CreateTextFile|SaveToFile|StreamWriter|AppendAllText)\b/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
    condition:
        filesize < 512KB and all of them
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
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
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
        hit1 = "<%@ Page Language=\"C#\" %><%-- new System.Diagnostics.Pr\x6fcess(); Requ\x65st.Form[\"c\"] --%>"
        hit2 = "<%@ Page %><%-- CreateObject(\"WScript.Sh\x65ll\").Exec(Requ\x65st(\"c\")) --%>"
        hit3 = "<%@ Import Namespace=\"System.Diagnostics\" %><%-- Dim p As New Pr\x6fcessStartInfo(\"cmd.exe\"); p.Arguments = \"/c \" + xcmd.Text --%>"
        hit4 = "@using System.Diagnostics\n@{ /* Pr\x6fcess.Start(\"c\", Requ\x65st[\"x\"]) inert */ }<%-- Pr\x6fcess.Start; Requ\x65st[1] --%>"
        hit5 = "<object runat=\"server\" id=s classid=\"clsid:72C24DD5-D70A-\x34\x338B-8A42-98424B88AFB8\"></object><%-- s.exec(requ\x65st(\"x\")) --%>"
        hit6 = "<%@ Page %><%-- GetObject(\"winmgm\x74s:\"); Win32_Pr\x6fcess; Requ\x65st[\"a\"] --%>"
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
        $wmi = /(winmgmts:|ManagementClass\s{0,4}\(|InvokeMethod\s{0,4}\()/ nocase ascii wide
        $wmi_process = "Win32_Process" nocase ascii wide
        $visual_basic = /\bInteraction\.Shell\s{0,4}\(|[^.\w]Shell\s{0,4}\(\s{0,4}("[^"\r\n]{0,40}"\s{0,4}&\s{0,4})?Request\s{0,4}[(.\[]/ nocase ascii wide
        $powershell = "System.Management.Automation" nocase ascii wide
        $script = /\b(AddScript|CreatePipeline|CreateNestedPipeline)\s{0,4}\(/ ascii wide
        $cmd = /["'](cmd(\.exe)?|powershell(\.exe)?|[^"']{0,60}\\cmd\.exe)["']/ nocase ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies|InputStream|BinaryRead|ServerVariables)\b)/ nocase ascii wide
        $form_field = /\.(Text|Value)\b[^\r\n]{0,40}(\)|;|\r|\n|--)/ ascii wide
        $directive = "<%@" ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $code = /<%\s{0,4}[^@\s\-]/ ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 2MB and any of ($directive, $runat, $code, $razor) and
        ((any of ($process, $start_info, $start, $wscript, $visual_basic) and $request and (any of ($directive, $runat, $razor) or $wscript)) or
         ($wmi and $wmi_process and $request) or
         ($powershell and $script and any of ($request, $form_field)) or
         (any of ($process, $start_info, $start, $wscript, $visual_basic) and $cmd and $form_field and any of ($directive, $runat)))
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
        hit2 = "<%@ Page Language=\"C#\" %><%-- [DllImp\x6frt(\"ws2_32\")] WSASock\x65t; CreateProc\x65ss --%>"
        miss1 = "<%@ Page Language=\"C#\" %>[DllImport(\"kernel32\")] static extern void GlobalMemoryStatus(ref X x);"
        miss2 = "<%@ Page Language=\"C#\" %>[DllImport(\"advapi32.dll\")] static extern bool LogonUser(string u); // CreateThread"
    strings:
        $import = /DllImport\s{0,4}\(|Declare\s{1,4}(Auto\s{1,4}|Ansi\s{1,4})?Function|GetDelegateForFunctionPointer/ nocase ascii wide
        $memory = /\b(VirtualAlloc(Ex)?|VirtualProtect(Ex)?|HeapCreate|NtAllocateVirtualMemory|WriteProcessMemory)\b/ ascii wide
        $thread = /\b(CreateThread|CreateRemoteThread|QueueUserAPC|NtCreateThreadEx|EnumSystemLocales[AW]?|GetDelegateForFunctionPointer)\b/ ascii wide
        $socket = /\b(WSASocket[AW]?|WSAConnect|WSAStartup)\b/ ascii wide
        $program = /\bCreateProcess(AsUser|WithTokenW|WithLogonW)?[AW]?\b/ ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 4MB and any of ($tag, $runat) and $import and (($memory and $thread) or ($socket and $program))
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
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
    condition:
        filesize < 2MB and all of them
}

rule WS_05_file_manager
{
    meta:
        id = "WS-05"
        title = "Page that manages the server's disks for the client"
        description = "Server-side code that lists the drives of the server and its folders and deletes, moves, writes or re-dates files as the request says."
        level = "high"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1083"
        reference = "https://attack.mitre.org/software/S0073/"
        author = "extriage"
        hit1 = "<%@ Page %><%-- Directory.GetL\x6fgicalDrives(); d.GetFil\x65s(); File.Del\x65te(p); f.Save\x41s(p); Requ\x65st[\"a\"] --%>"
        hit2 = "<%-- for each d in fso.Dr\x69ves: fso.GetF\x6flder(p): fso.DeleteF\x69le p: fso.MoveFil\x65 p, q: requ\x65st(\"a\") --%>"
        hit3 = "<%@ Page %><%-- d.GetFil\x65s(); File.SetLastWr\x69teTime(p, t); File.SetCre\x61tionTime(p, t); File.Del\x65te(p); Requ\x65st[\"a\"] --%>"
        miss1 = "<%@ Page %><% foreach (var f in Directory.GetFiles(Server.MapPath(\"~/img\"))) { } if (Request[\"del\"] != null) File.Delete(p); f.SaveAs(p); %>"
        miss2 = "<% Set fso = Server.CreateObject(\"Scripting.FileSystemObject\") : For Each d In fso.Drives : Response.Write d.FreeSpace : Next : x = Request(\"a\") %>"
    strings:
        $drives = /\b(GetLogicalDrives|DriveInfo\.GetDrives|DriveInfo\s{0,4}\[\s{0,4}\])/ nocase ascii wide
        $drives_script = /\.(Drives\b|GetDrive\s{0,4}\()/ nocase ascii wide
        $times1 = /\bSetLastWriteTime(Utc)?\s{0,4}\(/ nocase ascii wide
        $times2 = /\bSetCreationTime(Utc)?\s{0,4}\(/ nocase ascii wide
        $list = /\.(GetFiles|GetDirectories|GetFileSystemInfos|GetFileSystemEntries|GetFolder|SubFolders|EnumerateFiles)\b/ nocase ascii wide
        $act1 = /\b(File|Directory)\.Delete\s{0,4}\(|\.Delete(File|Folder)\b/ nocase ascii wide
        $act2 = /\b(File|Directory)\.Move\s{0,4}\(|\.Move(File|Folder|To)\b/ nocase ascii wide
        $act3 = /\bFile\.Copy\s{0,4}\(|\.Copy(File|Folder)\b/ nocase ascii wide
        $act4 = /\.SaveAs\s{0,4}\(|\.SaveToFile\b/ nocase ascii wide
        $act5 = /\b(WriteAllText|WriteAllBytes|StreamWriter|CreateTextFile|OpenTextFile|CreateText)\b/ nocase ascii wide
        $act6 = /\bFile\.SetAttributes\b|\.Attributes\s{0,4}=/ nocase ascii wide
        $act7 = /\b(Directory\.CreateDirectory|CreateFolder)\b/ nocase ascii wide
        $act8 = /\b(RegRead|OpenSubKey|xp_cmdshell|Win32_)/ nocase ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies|InputStream|BinaryRead)\b)/ nocase ascii wide
        $field = /\.(Text|Value|CommandArgument)\b/ ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat, $razor) and any of ($request, $field) and $list and
        ((any of ($drives, $drives_script) and 2 of ($act*)) or ($times1 and $times2 and 1 of ($act*)))
}

rule WS_05_database_console
{
    meta:
        id = "WS-05"
        title = "Page that opens databases for the client"
        description = "The client chooses the connection and the statement, or the page runs programs through the database server."
        level = "high"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1505.001"
        reference = "https://attack.mitre.org/techniques/T1505/001/"
        author = "extriage"
        hit1 = "<%@ Page %><%-- new SqlConnecti\x6fn(Requ\x65st[\"c\"]); new SqlComm\x61nd(Requ\x65st[\"q\"], c) --%>"
        hit2 = "<%-- s = requ\x65st(\"s\") : conn.execute(\"exec master..xp_cmdsh\x65ll '\" & s & \"'\") --%>"
        hit3 = "<%@ Page %><%-- string k = Requ\x65st[\"k\"]; c.ConnectionStr\x69ng = k; --%>"
        miss1 = "<%@ Page %><% var c = new SqlConnection(ConfigurationManager.ConnectionStrings[\"Main\"].ConnectionString); var id = Request[\"id\"]; %>"
        miss2 = "<% s = Request(\"s\") : conn.Execute \"exec dbo.Find '\" & Replace(s, \"'\", \"''\") & \"'\" %>"
    strings:
        $connection = /(SqlConnection|OleDbConnection|OdbcConnection|ConnectionString)\s{0,4}[(=]\s{0,4}(\w{1,20}\.){0,4}Request\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $field = /(SqlConnection|OleDbConnection|OdbcConnection)\s{0,4}\(\s{0,4}\w{1,30}\.(Text|Value)\b/ nocase ascii wide
        $program = /\b(xp_cmdshell|sp_oacreate|xp_regwrite)\b/ nocase ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $form = /\.(Text|Value)\b/ ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and (any of ($connection, $field) or ($program and any of ($request, $form)))
}

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
        $aes = /(AesManaged|RijndaelManaged|RijndaelCipher|CreateDecryptor|FromBase64String|TransformFinalBlock|BinaryRead|GZipStream|DeflateStream)/ ascii wide
        $xor = /\^\s{0,4}\(?\s{0,4}(\(byte\)\s{0,4})?\w{1,20}\s{0,4}\[/ ascii wide
        $key_behinder = "e45e329feb5d925b" ascii wide
        $key_godzilla = "3c6e0b8a9c15224a" ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat, $razor) and
        ((any of ($load, $load_reflected) and any of ($request, $session) and any of ($aes, $xor)) or $load_request or
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
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 1MB and any of ($tag, $runat) and
        (2 of ($x_*) or $greeting or ($socket and $connect and any of ($session, $answer) and $request))
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
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
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
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and
        (($xsl and $xsl_script and $request) or ($provider and $compile and $request) or ($service and $method and $start))
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
        miss2 = "<%@ Page %><p>HttpListener and Process.Start are described below.</p>"
    strings:
        $hook1 = /\bRegisterVirtualPathProvider(Internal)?\b/ ascii wide
        $hook2 = /new\s{1,4}(System\.Net\.)?HttpListener\s{0,4}\(/ ascii wide
        $hook3 = /\bGlobalFilters\.Filters\.Add\s{0,4}\(/ ascii wide
        $hook4 = /\bRouteTable\.Routes\.(Insert|Add)\s{0,4}\(/ ascii wide
        $act1 = "FromBase64String" ascii wide
        $act2 = /\bAssembly\b.{0,40}\bLoad\s{0,8}\(\s{0,4}[^"'\s]/ ascii wide
        $act3 = /\bProcess\.Start\s{0,4}\(|ProcessStartInfo/ ascii wide
        $tag = /<%[@=#:\-\s\w"(]/ ascii wide
        $runat = /<script[^>]{0,80}runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and any of ($hook*) and any of ($act*)
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
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies|InputStream|BinaryRead)\b)/ nocase ascii wide
    condition:
        filesize < 1MB and $directive and $hook and (any of ($act1, $act2, $act3) or ($request and any of ($act4, $act5)))
}
