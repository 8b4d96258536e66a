/* Server pages without their disguise, and where requests flow. The pages here are words in
 * comments and do nothing. */
#include "triage/formats/page_flow.h"
#include "triage/formats/page_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static bool holds(const struct buffer *text, const char *words)
{
    return slice_find_nocase(buffer_slice(text), 0, slice_of_text(words)) != SIZE_MAX;
}

static void assert_says(struct slice page, const char *words)
{
    struct buffer plain = BUFFER_EMPTY;
    const bool changed = page_text_plain(page, &plain);

    if (!changed || !holds(&plain, words))
        fail_msg("\"%s\" is not in: %s", words, buffer_text(&plain));
    buffer_release(&plain);
}

static void assert_says_nothing_new(const char *page)
{
    struct buffer plain = BUFFER_EMPTY;

    if (page_text_plain(slice_of_text(page), &plain))
        fail_msg("became: %s", buffer_text(&plain));
    buffer_release(&plain);
}

#define SAYS(page, words) assert_says(SLICE_LITERAL(page), words)

static void escapes_and_comments_go(void **state)
{
    (void)state;
    SAYS("<%-- \\u0072un/* so */Now --%>", "runNow");
    SAYS("<%-- \\U00000072un \\x6eow --%>", "run now");
    SAYS("<%-- ru\xE2\x80\x8Bn \xC2\xADnow --%>", "run now");
    SAYS("<%-- ru\\u200bn --%>", "run");
}

static void a_comment_within_a_text_stays(void **state)
{
    (void)state;
    SAYS("<%-- a = \"image/*\" + \";q=1\"; b = \"*/*\" --%>", "\"image/*;q=1\"; b = \"*/*\"");
}

static void texts_are_joined(void **state)
{
    (void)state;
    SAYS("<%-- \"he\" + 'll' & \"o\" --%>", "\"hello\"");
    SAYS("<%-- \"he\" & _\r\n \"llo\" --%>", "\"hello\"");
    SAYS("<%-- {'h','e','l','l','o'} --%>", "'hello'");
    SAYS("<%-- \"hZeZlZlo\".Replace(\"Z\", \"\") --%>", "\"hello\"");
    SAYS("<%-- StrReverse(\"olleh\") --%>", "\"hello\"");
    SAYS("<%-- Replace(\"h#el#lo\", \"#\", \"\") --%>", "\"hello\"");
    SAYS("<%-- Array(\"see the req\", \"uest here\") --%>", "see the request here");
    SAYS("<%-- run _\r\n now --%>", "run  now");
    SAYS("<%-- \"a\"\"b\" & \"c\" --%>", "a\"bc");
}

static void characters_become_texts(void **state)
{
    (void)state;
    SAYS("<%-- Chr(104)&ChrW(&H65)&chr(110-2)&Chr(108)&Chr(111) --%>", "\"hello\"");
    SAYS("<%-- String.fromCharCode(104, 101, 108, 108, 111, 33) --%>", "(\"hello!\")");
    SAYS("<%-- Chr(&0150)&Chr(&O151) --%>", "\"hi\"");
    SAYS("<%-- new byte[] {0x68,0x65,0x6c,0x6c,0x6f,0x21} --%>", "{\"hello!\"}");
}

static void encoded_texts_are_added(void **state)
{
    (void)state;
    SAYS("<%-- \"aGVsbG8gd29ybGQgaGVsbG8=\" --%>", "hello world hello");
    SAYS("<%-- \"68656c6c6f20776f726c64\" --%>", "hello world");
    SAYS("<%-- \"%68%65%6c%6c%6f%20world hello\" --%>", "hello world");
    /* "InRvIiAmICJnZXRoZXIgaXMgbG9uZyI=" is: "to" & "gether is long" */
    SAYS("<%-- \"InRvIiAmICJnZXRoZXIgaXMgbG9uZyI=\" --%>", "together is long");
}

static void pages_in_other_encodings_are_read(void **state)
{
    (void)state;
    SAYS("\xFF\xFE<\0%\0-\0-\0 \0h\0i\0 \0-\0-\0%\0>\0", "<%-- hi --%>");
    SAYS("\xFE\xFF\0<\0%\0-\0-\0 \0h\0i\0 \0-\0-\0%\0>", "<%-- hi --%>");
    SAYS("<%@ codepage=65000 %>+AGgAaQ- +- you", "hi + you");
}

static void honest_pages_say_nothing_new(void **state)
{
    (void)state;
    assert_says_nothing_new(
        "<%@ Page Title=\"Home\" %><p>Don't \"panic\"</p><asp:Label runat=\"server\" />");
    assert_says_nothing_new("plain text with \"a\" + \"b\", which is no page");
    assert_says_nothing_new("<%@ Page %><% var id = Request[\"id\"]; Label1.Text = id; %>");
    assert_says_nothing_new("<%@ Page %><% f.SaveAs(Request.PhysicalApplicationPath + name); %>");
    assert_says_nothing_new("<% Open Request(1)\nSub Open(d)\nx = d\nEnd Sub %>");
    assert_says_nothing_new("<% s = Request(\"s\") : f.SaveAs Server.MapPath(\"/up\") & s %>");
    assert_says_nothing_new(
        "<% s = Request(\"s\")\nf.SaveAs Server.MapPath(\"/\") & \"/\" & s & \".txt\" %>");
}

static void a_name_of_the_client_in_the_root_of_the_site_is_a_path_of_its_own(void **state)
{
    (void)state;
    SAYS("<%-- x.SaveToFile(Server.MapPath(\".\") & \"\\\" & Request(1), 2) --%>",
         "x.SaveToFile(Request(1)");
    SAYS("<%-- n = Request(1)\nPut Server.MapPath(\"/\")&\"/\"&n,t\nSub Put(p,c)\n"
         "Set f = o.CreateTextFile(p)\nEnd Sub --%>",
         "o.CreateTextFile(Request(1)");
}

/* As the upload pages of editors do it: the folder is the page's own, the name is made anew. */
static void honest_uploads_open_no_path_of_the_client(void **state)
{
    (void)state;
    assert_says_nothing_new(
        "<%@ WebHandler %> var f = context.Request.Files[\"f\"]; var d = "
        "Request.QueryString[\"dir\"];\n"
        "path += d; var name = f.FileName; var full = path + name; f.SaveAs(full);\n"
        "f.SaveAs(Server.MapPath(f.FileName));");
    assert_says_nothing_new("<% s = Request(\"s\")\np = p & s\nset r = file.saveToFile(p, 0) %>");
    assert_says_nothing_new("<% str = Request(\"s\")\neval(\"var t = (\" + str + \")\") %>");
}

static void a_folder_of_the_client_below_the_site_is_no_path_of_its_own(void **state)
{
    (void)state;
    assert_says_nothing_new("<%@ WebHandler %> var d = Request[\"d\"]; var p = Server.MapPath(d); "
                            "var n = Request.Files[0].FileName; f.SaveAs(p + n);");
    assert_says_nothing_new(
        "<%@ WebHandler %> new FileStream(Server.MapPath(Request[\"f\"]), FileMode.Open);");
    assert_says_nothing_new("<%@ WebHandler %> web.DownloadFile(Request[\"u\"], path);");
    assert_says_nothing_new(
        "<%@ WebHandler %> var d = new DirectoryInfo(Server.MapPath(Request[1]));");
    SAYS("<%@ WebHandler %> var d = Request[\"d\"]; f.SaveAs(d + \"/\" + n);", "f.SaveAs(Request[");
    SAYS("<%@ WebHandler %> f.SaveAs(Server.MapPath(Request[1] + Request[2]));",
         "SaveAs(Request[1]");
    SAYS("<%@ WebHandler %> new FileStream(Request[\"f\"], FileMode.Create);",
         "FileStream.Write(Request[");
}

static void a_function_that_walks_the_letters_decodes(void **state)
{
    (void)state;
    SAYS("<%-- execute(d(x))\nFunction d(t)\nFor i = 1 To Len(t)\nd = Mid(t, i, 1) & d\nNext\n"
         "End Function --%>",
         "execute(Decoded[d");
    assert_says_nothing_new("<% v = eval(part(x))\nFunction part(t)\nFor Each m In t\n"
                            "part = Mid(m, 2, Len(m) - 1)\nNext\nEnd Function %>");
}

static void requests_are_followed_into_calls(void **state)
{
    (void)state;
    SAYS("<%-- var a = Request[\"x\"]; var b = a; run(b); --%>", "run(Request[\"x\"]");
    SAYS("<%-- Dim c As String = Request.Form(\"x\")\nrun(c) --%>", "run(Request.Form");
    SAYS("<%-- d = request(\"x\"):execute d --%>", "execute(request(\"x\")");
    SAYS("<%-- Request.InputStream.Read(z, 0, 9); Loader.Load(z); --%>",
         "Loader.Load(Request.InputStream");
    SAYS("<%-- n = Request.QueryString[1]; File.WriteAllText(Server.MapPath(n), t) --%>",
         "File.WriteAllText(Request.QueryString");
    SAYS("<%-- k = Request.Form[1]; p.Arguments = \"/c \" + k; --%>", "p.Arguments=Request.Form");
    SAYS("<%-- var f = new FileInfo(Request[\"x\"]); f.CreateText() --%>", "f.CreateText(Request[");
    SAYS("<%-- q = ParseQueryString(u).Get(\"x\"); run(q); --%>", "run(Request[ParseQueryString");
}

static void requests_are_followed_into_functions(void **state)
{
    (void)state;
    SAYS("<%-- Walk Trim(request(\"x\"))\nSub Walk(ByVal d)\nfso.GetFolder(d)\nEnd Sub --%>",
         "fso.GetFolder(request(");
    SAYS("<%-- go(Request[\"x\"]); void go(string what) { run(what); } --%>", "run(Request[");
    SAYS("<%-- function go(what : String) : void { run(what); } go(Request.Item[0]); --%>",
         "run(Request.Item");
    SAYS("<%@ WebService %>[WebMethod] public string Go(string what) { run(what); }",
         "run(Request[given");
}

static void what_is_typed_into_controls_is_followed(void **state)
{
    (void)state;
    SAYS("<% f.SaveAs(Where.Text); %><asp:TextBox runat=\"server\" ID=\"Where\" />",
         "f.SaveAs(Field[Where.Text");
    SAYS("<% c = new SqlConnection(\"server=\" + h.Value +\n \";\"); %><input id=h runat=server>",
         "SqlConnection(Part[Field[h.Value");
    assert_says_nothing_new(
        "<% f.SaveAs(Where.Text); %><asp:Label runat=\"server\" ID=\"Where\" />");
}

static void code_that_the_page_decodes_is_told(void **state)
{
    (void)state;
    SAYS("<%-- execute plain(x)\nFunction plain(s)\nplain = Chr(s - 1)\nEnd Function --%>",
         "execute(Decoded[Chr(s - 1)");
    SAYS("<%-- t = unescape(u) : execute(t) --%>", "execute(Decoded[unescape(u)");
    assert_says_nothing_new("<% Execute ReadFile(x)\nFunction ReadFile(n)\nReadFile = "
                            "fso.OpenTextFile(n).ReadAll\nEnd Function %>");
}

static void scripts_of_the_browser_are_left_out(void **state)
{
    (void)state;
    assert_says_nothing_new("<% x = Request(\"x\") %><script>eval(x); eval(unescape(y))</script>");
    SAYS("<script runat=\"server\">x = Request(\"x\"); eval(x)</script>", "eval(Request(\"x\")");
}

static void fill(struct buffer *page, const char *part, size_t size)
{
    buffer_clear(page);
    buffer_add_text(page, "<%");
    while (page->size < size)
        buffer_add_text(page, part);
}

/* What would be quadratic if a way through looked at the same bytes again and again. */
static void hostile_pages_take_linear_time(void **state)
{
    static const char *const parts[] = {
        "'\\'x",
        "/*",
        "\"a\" + ",
        "(1,",
        "chr(1+",
        "x=Request[x]+",
        "a=a=",
        "\"a\".Replace(\"b\",",
        "eval(",
        "'a','",
        "+A",
        "\\u",
        "function a(x){",
        "Sub b\n",
        "int c(int d) {",
        "<input runat id ",
        "<script runat=server>",
        "%><%",
        "f(Request[x],",
        "[WebMethod",
        "array(\"",
        "replace(\"a\",",
        " _\n",
        "function a(x)\nend function a a a a a a a a a a a a a a a a a a a a a a a a a a a a a ",
    };
    struct buffer page = BUFFER_EMPTY, plain = BUFFER_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const clock_t start = clock();
        fill(&page, parts[i], 1 << 20);
        buffer_clear(&plain);
        page_text_plain(buffer_slice(&page), &plain);
        const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        if (seconds > 5)
            fail_msg("%s: %f seconds", parts[i], seconds);
        assert_true(plain.size < 8u << 20);
    }
    buffer_release(&page);
    buffer_release(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_and_comments_go),
        cmocka_unit_test(a_comment_within_a_text_stays),
        cmocka_unit_test(texts_are_joined),
        cmocka_unit_test(characters_become_texts),
        cmocka_unit_test(encoded_texts_are_added),
        cmocka_unit_test(pages_in_other_encodings_are_read),
        cmocka_unit_test(honest_pages_say_nothing_new),
        cmocka_unit_test(honest_uploads_open_no_path_of_the_client),
        cmocka_unit_test(a_name_of_the_client_in_the_root_of_the_site_is_a_path_of_its_own),
        cmocka_unit_test(a_folder_of_the_client_below_the_site_is_no_path_of_its_own),
        cmocka_unit_test(a_function_that_walks_the_letters_decodes),
        cmocka_unit_test(requests_are_followed_into_calls),
        cmocka_unit_test(requests_are_followed_into_functions),
        cmocka_unit_test(what_is_typed_into_controls_is_followed),
        cmocka_unit_test(code_that_the_page_decodes_is_told),
        cmocka_unit_test(scripts_of_the_browser_are_left_out),
        cmocka_unit_test(hostile_pages_take_linear_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
