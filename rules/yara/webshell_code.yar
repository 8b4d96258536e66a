/*
 * Web shells that evaluate code: what the client sends, or what they decode.
 * Ids WS-01, WS-02. Each rule asks for a server-side context ("<%" or
 * runat=server), so that scripts meant for the browser do not match, and bounds the file size.
 * Examples are inert: the code stands in a server-side comment and is spelt with escapes. Names such
 * as "Field[" and "Decoded[" stand in the lines that triage/formats/page_flow.c adds to a page.
 */

rule WS_01_eval_of_request
{
    meta:
        id = "WS-01"
        title = "Page that evaluates what the client or another server sends"
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
        hit13 = "<%-- h.Open \"GET\", u, False : h.Send : ex\x65cuteglobal h.responseT\x65xt --%>"
        hit11 = "<%-- Run Trim(requ\x65st(\"a\")) : Sub Run(what) : ex\x65cute what : End Sub --%>"
        hit12 = "<%@ W\x65bService Language=\"JScript\" Class=\"S\" %> [WebM\x65thod] function Say(what : String) : String { /* inert */ ev\x61l(what); }"
        hit14 = "<%-- ev\x61l(ev\x61l(\"requ\x65st\")(\"a\")) --%>"
        hit15 = "<%-- as forums print it: eval\x5fr(Requ\x65st(\"a\")) --%>"
        miss1 = "<script type=\"text/javascript\">var o = eval(request.responseText);</script><% Response.Write(title) %>"
        miss2 = "<%@ Page Language=\"C#\" %><%# Eval(\"Name\") %><%= Request[\"id\"] %>"
        miss3 = "function evaluate(Request) { return eval(Request.body); }"
        miss4 = "<% id = Request(\"id\") : Set rs = conn.Execute(\"select a from b where c=\" & CLng(id)) %>"
        miss5 = "<% Server.Execute(Request.QueryString(\"page\") & \".asp\") %>"
        miss6 = "<%@ Page %><script>var request = new XMLHttpRequest(); var o = request.responseText; eval(o);</script>"
        miss7 = "<% id = Request(\"id\") %><script>var id = document.getElementById(\"x\").value; eval(id);</script>"
        miss8 = "<%@ WebService Language=\"C#\" Class=\"S\" %> [WebMethod] public string Evaluate(string what) { return table[what]; }"
    strings:
        $request = /[^.\w](eval|execute|executeglobal)\s{0,8}\(\s{0,8}(""\s{0,2}[&+]\s{0,2})?(\w{1,24}\s{0,2}[.(]\s{0,4}){0,8}Request\s{0,4}(\[|\(|\.\s{0,4}(Item|Form|QueryString|Params|Headers|Cookies|ServerVariables|BinaryRead|InputStream)\b)/ nocase ascii wide
        $vbscript = /[^.\w](eval|execute|executeglobal)\s{1,4}(\w{1,24}\s{0,2}\(\s{0,4}){0,4}request\s{0,4}(\(|\.\s{0,4}(Item|Form|QueryString|Cookies|BinaryRead)\b)/ nocase ascii wide
        $session = /[^.\w](execute|executeglobal|eval)\s{0,4}\(?\s{0,4}(Session|Application)\s{0,4}[(\[]/ nocase ascii wide
        $any_request = /\bRequest\s{0,4}(\[|\(|\.)/ nocase ascii wide
        $fetched = /[^.\w](execute|executeglobal)\s{0,4}\(?\s{0,4}\w{1,24}\.(responseText|responseBody)\b/ nocase ascii wide
        $engine = /\b(JScriptEvaluate|ExecuteStatement|AddCode)\s{0,4}\(?\s{0,4}(\w{1,24}\s{0,2}[.(]\s{0,4}){0,8}Request\s{0,4}(\[|\(|\.)/ nocase ascii wide
        $named = /[^.\w](eval|execute)\s{0,8}\(?\s{0,8}(eval\s{0,4}\(\s{0,4}"request"\s{0,4}\)\s{0,4}\(|["']?request["']?\s{0,4}\)\s{0,4}\()/ nocase ascii wide
        $copied = /[^.\w]eval_r\s{0,4}\(\s{0,4}Request\s{0,4}[(\[.]/ nocase ascii wide
        $unsafe = /\beval\s{0,8}\([^\r\n]{0,300},\s{0,8}["']unsafe["']\s{0,8}\)/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 4MB and
        (any of ($tag, $runat, $razor) or (filesize < 1KB and extension matches /^\.(asp|asa|cer|cdx)$/i)) and
        (any of ($request, $vbscript, $engine, $unsafe, $fetched, $named, $copied) or ($session and $any_request))
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
        hit5 = "<scr\x69pt run\x61t=\"server\" language=\"JScript\">/* function f(what) { var mode = a + b; return ev\x61l(what, mode); } */</script>"
        hit6 = "<%@ Page Language = Jscript %><%/* a */var/*-*/p/*-*/=/*-*/1/*-*/+/*-*/2/*-*/+/*-*/3/*-*/+/*-*/4/*-*/;/*-*/ev\x61l (p)/*-*/;/*-*/a/*-*/=/*-*/1/*-*/;/*-*/b/*-*/=/*-*/1/*-*/ %>"
        miss8 = "<%@ Page Language=\"JScript\" %><% eval(\"(\" + a/*1*/ + b/*2*/ + \")\"); %>"
        miss1 = "<%@ Page %><meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'unsafe-inline' 'unsafe-eval'\">"
        miss2 = "<%@ Page %><% var s = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(Token)); %><%# Eval(\"Name\") %>"
        miss3 = "var _0x1a2b3c = ['x']; eval(_0x1a2b3c[0]);"
        miss4 = "<%@ Page %><script>var s = '\\u003cb\\u003e \\u00e9\\u00e8\\u00fc\\u00df';</script>"
        miss5 = "<%@ Page Language=\"C#\" %><script language=\"JScript\">eval(a, b)</script>"
        miss7 = "<script language=\"C#\" runat=\"server\">void Page_Load() { }</script><script>var _0x1a2b3c = ['x'];</script>"
        miss6 = "<%@ Page %><script>var name = /[\\u0041-\\u005A\\u0061-\\u007A]/;</script>"
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
        $range = /\\u00[0-9a-f]{2}-\\u/ nocase ascii wide
        $long_letter = /\\U000000(4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])/ ascii wide
        $obfuscator = /\bvar\s{1,8}_0x[0-9a-f]{4,}/ nocase ascii wide
        $eval = /\beval\s{0,8}\(/ ascii wide
        $two = /\beval\s{0,8}\(\s{0,4}[\w.]{1,40}\s{0,4},\s{0,4}[\w.]{1,40}\s{0,4}\)/ ascii wide
        $stuffed = /\/\*[^\r\n]{1,8}\*\/[^\r\n]{1,6}\/\*[^\r\n]{1,8}\*\// ascii wide
        $server_jscript = /<script[^>]{0,80}language\s{0,4}=\s{0,4}["']?(jscript|js|javascript)\b[^>]{0,80}runat\s{0,4}=|<script[^>]{0,80}runat\s{0,4}=[^>]{0,80}language\s{0,4}=\s{0,4}["']?(jscript|js|javascript)\b|<\s?%\s?@[^%>]{0,200}language\s{0,4}=\s{0,4}["']?\s{0,4}(jscript|js)\b/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 4MB and
        ((any of ($tag, $runat) and ((any of ($split*, $unsafe) and $eval) or any of ($decode, $decode_late) or
           ($directive and not $range and (($letter and #letter > 3) or ($long_letter and #long_letter > 2))))) or
         (any of ($obfuscator, $two) and $server_jscript) or
         (filesize < 16KB and $server_jscript and $eval and $stuffed and #stuffed > 9))
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
        hit3 = "<%@ LANGUAGE = VBScript.Enc\x6fde %><%\r\nName = \"a\" ' plain\r\n#@~^FAAAAA==inert==^#~@%>"
        miss1 = "<script language=\"JScript.Encode\">#@~^FAAAAA==client==^#~@</script>"
        miss2 = "<%@ LANGUAGE=\"VBScript\" %><% ' see #@~^ %>"
    strings:
        $start = /<%\s{0,8}(@[^%]{0,80}%>\s{0,8}<%\s{0,8})?#@~\^[A-Za-z0-9+\/]{6}==/ nocase
        $script = /runat\s{0,4}=\s{0,4}["']?server[^>]{0,60}>\s{0,8}#@~\^[A-Za-z0-9+\/]{6}==/ nocase
        $directive = /<%@[^%>]{0,80}(VBScript|JScript)\.Encode/ nocase
        $block = /#@~\^[A-Za-z0-9+\/]{6}==/
    condition:
        filesize < 4MB and (any of ($start, $script) or ($directive and $block))
}

rule WS_02_code_built_at_run_time
{
    meta:
        id = "WS-02"
        title = "Page that runs code it puts together from what the client sends"
        description = "Server-side script that executes what it decodes itself, or classic ASP that executes a value, not a text, in a page which reads the request and turns characters into others (Chr, Asc, Mid, Xor, StrReverse, unescape)."
        level = "critical"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1027"
        reference = "https://attack.mitre.org/techniques/T1027/"
        author = "extriage"
        hit1 = "<%-- for i = 1 to n: r = r & Chr(Asc\x42(MidB(c, i, 1)) X\x6fr Asc(Mid(k, 1, 1))): next: ex\x65cute(r): requ\x65st.BinaryRead(n) --%>"
        hit2 = "<%-- Ex\x65cuteGlobal unesc\x61pe(a): b = StrRev\x65rse(requ\x65st(\"x\")) --%>"
        hit3 = "<%-- ex\x65cute(plain(\"%119%120%121\")) : Function plain(s) : s = Split(s, \"%\") : plain = plain & Chr(s(1) - 18) : End Function --%>"
        hit4 = "<%-- t = unesc\x61pe(u) : ex\x65cute t --%>"
        miss3 = "<% ExecuteGlobal GetFile(\"lib.inc\") : Function GetFile(n) : GetFile = fso.OpenTextFile(Server.MapPath(n)).ReadAll : End Function %>"
        miss4 = "<%@ Page %><script>eval(unescape('%61%62')); eval(function(p,a){ return String.fromCharCode(a) }(1,2));</script>"
        miss5 = "<script language=\"javascript\" runat=\"server\">function parse(s) { return eval(\"(\" + unescape(s) + \")\"); }</script>"
        miss1 = "<% s = Request(\"s\") : For i = 1 To Len(s) : c = Chr(Asc(Mid(s, i, 1)) Xor 7) : Next : conn.Execute(sql) %>"
        miss2 = "<% ExecuteGlobal ReadFile(\"lib.inc\") : x = Request(\"x\") %>"
    strings:
        $run = /[^.\w](execute|executeglobal|eval)\s{0,4}(\(\s{0,4}|\s)[A-Za-z_]\w{0,30}\s{0,4}[()\r\n:%\-&]/ nocase ascii wide
        $run_all = /[^.\w](execute|executeglobal)\s{0,4}(\(\s{0,4}|\s)[A-Za-z_]\w{0,30}\s{0,4}[()\r\n:%\-&]/ nocase ascii wide
        $change1 = /\bchr[wb]?\s{0,4}\(\s{0,4}[A-Za-z]/ nocase ascii wide
        $change2 = /\basc[wb]?\s{0,4}\(/ nocase ascii wide
        $change3 = /\bxor\b/ nocase ascii wide
        $change4 = "StrReverse" nocase ascii wide
        $change5 = /\bunescape\s{0,4}\(/ nocase ascii wide
        $change6 = /\bclng\s{0,4}\(\s{0,4}"&H"/ nocase ascii wide
        $request = /\brequest\s{0,4}(\(|\.\s{0,4}(Item|Form|QueryString|Cookies|BinaryRead|ServerVariables)\b)/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $packed = /[^.\w](execute|executeglobal|eval)\s{0,4}\(?\s{0,4}\w{1,30}\s{0,4}\(\s{0,4}"[^"\r\n]{200}/ nocase ascii
        $long = /"[^"\r\n ]{600}/ ascii
        $net = /<%@\s{0,8}(page|control|master|webhandler)\b/ nocase ascii wide
        $decoded = /\b(execute|executeglobal|eval|executestatement|addcode)\(Decoded\[/ nocase
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase
    condition:
        (filesize < 1MB and any of ($tag, $runat) and $decoded) or
        filesize < 1MB and $tag and not $net and
        ($packed or ($run_all and $request and (3 of ($change*) or (filesize < 8KB and 2 of ($change*)))) or
         ($run and $request and filesize < 700 and 2 of ($change*)) or ($run_all and $long and 2 of ($change*)))
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
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $method = /\[\s{0,4}(System\.Web\.Services\.)?WebMethod/ ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and any of ($request, $method) and ($evaluate or ($control and $act))
}

rule WS_02_code_for_a_component
{
    meta:
        id = "WS-02"
        title = "Page that hands its code to a component to decode"
        description = "Classic ASP that gives three or more long runs of letters and digits to a method of an object that it made: the code of the page, which a library on the server decodes. Commercial pages were sold so; a page of this kind cannot be read, and shells come in the same form."
        level = "high"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1027"
        reference = "https://attack.mitre.org/techniques/T1027/"
        author = "extriage"
        hit1 = "<% Set c = Server.CreateObj\x65ct(\"Example.Coding\")\r\nc.EnC\x6fde(\"Aa0LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL\")\r\nc.EnC\x6fde(\"Bb1LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL\")\r\nc.EnC\x6fde(\"Cc2LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL\") %>"
        hit2 = "<% Set c = CreateObj\x65ct(\"Example.Coding\") : c.DeC\x6fde \"Aa0LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL\" : c.DeC\x6fde \"Bb1LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL\" : c.DeC\x6fde \"Cc2LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL\" %>"
        miss1 = "<% Set c = Server.CreateObject(\"Example.Coding\") : t = c.Decode(Request.Form(\"t\")) : c.Encode(\"short\") %>"
        miss2 = "<% Set c = Server.CreateObject(\"Example.Coding\") : c.Decode \"Aa0LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL\" %>"
    strings:
        $made = /CreateObject\s{0,4}\(\s{0,4}"/ nocase ascii wide
        $given = /\.(En|De)(code|crypt)\w{0,12}\s{0,4}\(?\s{0,4}"[A-Za-z0-9+\/=]{200}/ nocase
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
    condition:
        filesize < 2MB and $tag and $made and #given > 2
}

rule WS_02_object_with_a_key
{
    meta:
        id = "WS-02"
        title = "Page that does nothing but make an object with a key"
        description = "A page of a few lines that makes an object of an assembly of its own and hands it a key or the hash of a password: the web shell is in the assembly, in the folder bin."
        level = "high"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1027"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "<scr\x69pt language=\"C#\" run\x61t=\"server\">Acme.a.b c = n\x65w Acme.a.b(\"0123456789abcdef\");</script>"
        hit2 = "<%@ Page Language=\"C#\" %><% n\x65w Acme.Tool(\"0123456789abcdef0123456789abcdef\"); %>"
        miss1 = "<script language=\"C#\" runat=\"server\">Guid id = new System.Guid(\"0123456789abcdef0123456789abcdef\");</script>"
        miss2 = "<%@ Page Language=\"C#\" %><% var c = new Acme.Client(\"https://a.example\"); %>"
    strings:
        $object = /\bnew\s{1,4}[A-Za-z_]\w{0,30}(\.[A-Za-z_]\w{0,30}){1,4}\s{0,4}\(\s{0,4}"[0-9a-f]{16,32}"\s{0,4}\)/
        $known = /\bnew\s{1,4}(System\.)?Guid\b/
        $tag = /<%[@=#:\-\s\w"(<']/
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase
    condition:
        filesize < 500 and any of ($tag, $runat) and $object and not $known
}

rule WS_02_include_of_picture
{
    meta:
        id = "WS-02"
        title = "Page that includes a picture or text as script"
        description = "A server-side include of a file that is a picture or an archive by its name, or a page that is nothing but the include of a text file: the script stands in there."
        level = "high"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1036"
        reference = "https://learn.microsoft.com/en-us/previous-versions/iis/6.0-sdk/ms524876(v=vs.90)"
        author = "extriage"
        hit1 = "<!-- #incl\x75de file=\"up/a.jpg\" -->"
        hit2 = "<%-- --%><!--#incl\x75de virtual='/img/b.gif'-->"
        hit3 = "<!--#incl\x75de file=\"notes.txt\"-->"
        hit4 = "<%-- set f = fso.OpenT\x65xtFile(Server.MapPath(\"logo.gif\")) : ex\x65cuteglobal f.ReadAll --%>"
        miss4 = "<% Set s = CreateObject(\"ADODB.Stream\") : s.LoadFromFile Server.MapPath(\"logo.gif\") : Response.BinaryWrite s.Read : conn.Execute sql %>"
        miss3 = "<html><body><h1>Shop</h1><p>Welcome to our shop, and have a look around.</p><!-- #include file=\"footer.txt\" --></body></html>"
        miss1 = "<!-- #include file=\"header.inc\" -->"
        miss2 = "<!--#include virtual=\"/img/list.asp?x=b.gif\" -->"
    strings:
        $include = /<!--\s{0,8}#include\s{1,8}(file|virtual)\s{0,4}=\s{0,4}["'][^"'?]{1,120}\.(jpe?g|gif|png|bmp|ico|zip|rar)["']/ nocase
        $reads = /\b(OpenTextFile|LoadFromFile|ReadAllText)\s{0,4}\(?\s{0,4}((\w{1,20}\.){0,2}MapPath\s{0,4}\(\s{0,4})?"[^"\r\n]{1,80}\.(jpe?g|gif|png|bmp|ico)"/ nocase
        $runs = /[^.\w](execute|executeglobal|eval)\s{0,4}[( ]/ nocase
        $text = /<!--\s{0,8}#include\s{1,8}(file|virtual)\s{0,4}=\s{0,4}["'][^"'?]{1,60}\.(txt|log|dat|xml)["']\s{0,4}-->/ nocase
    condition:
        (filesize < 1MB and ($include or ($reads and $runs))) or
        (filesize < 100 and $text in (0..4) and (filename == "" or extension matches /^\.(asp|asa|cer|cdx|aspx|shtml?|stm)$/i))
}
