<%@ Page Language="C#" EnableViewState="false" ValidateRequest="true" %>
<%@ OutputCache Duration="1" VaryByParam="*" Location="None" %>
<script runat="server">
    private static readonly Dictionary<int, string> words = new Dictionary<int, string>
    {
        { 403, "You may not see this page." }, { 404, "There is no such page." }, { 500, "Something went wrong here." },
    };

    private string Message
    {
        get
        {
            int code;
            string found;
            return int.TryParse(Request.QueryString["httpCode"], out code) && words.TryGetValue(code, out found) ? found : words[500];
        }
    }
</script>
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Error</title><link rel="stylesheet" href="themes/base.css"></head>
<body class="errBdy">
    <h1><%: Message %></h1>
    <p>Time: <%= DateTime.UtcNow.ToString("u") %><br>Server: <%: Server.MachineName %><br>
       Request: <%: Request.Headers["request-id"] %></p>
    <a href="javascript:history.back()">Back</a>
</body>
</html>
