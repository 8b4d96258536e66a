<%@ Application Language="C#" %>
<%@ Import Namespace="System.Web.Routing" %>
<script runat="server">
    void Application_Start(object sender, EventArgs e)
    {
        RouteTable.Routes.MapPageRoute("article", "articles/{number}", "~/article.aspx");
        Application["started"] = DateTime.UtcNow;
    }

    void Application_Error(object sender, EventArgs e)
    {
        Exception problem = Server.GetLastError();
        System.Diagnostics.Trace.TraceError("{0} {1}: {2}", Request.HttpMethod, Request.RawUrl, problem);
        if (problem is HttpException && ((HttpException)problem).GetHttpCode() == 404)
            return;
        Server.ClearError();
        Response.Redirect("~/error.aspx?httpCode=500", false);
    }

    void Session_Start(object sender, EventArgs e) { Session["since"] = DateTime.UtcNow; }
</script>
