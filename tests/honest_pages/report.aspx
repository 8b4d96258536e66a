<%@ Page Language="C#" %>
<%@ Import Namespace="System.Text.RegularExpressions" %>
<script runat="server">
    private static string Linked(string text)
    {
        text = HttpUtility.HtmlEncode(text);
        text = Regex.Replace(text, @"\bhttps?://[\w./?=&;-]+", "<a href=\"$0\">$0</a>");
        return text.Replace("\n", "<br>");
    }

    private IEnumerable<string[]> Lines()
    {
        foreach (string line in System.IO.File.ReadAllLines(Server.MapPath("~/App_Data/report.csv"), System.Text.Encoding.UTF8))
            yield return line.Split(';');
    }
</script>
<table>
<% foreach (string[] cells in Lines()) { %>
    <tr><% foreach (string cell in cells) { %><td><%= Linked(cell) %></td><% } %></tr>
<% } %>
</table>
<p><%= string.Join(", ", Request.Form.AllKeys.Where(k => k != null && !k.StartsWith("__")).Select(HttpUtility.HtmlEncode)) %></p>
