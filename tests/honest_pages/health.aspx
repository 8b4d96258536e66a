<%@ Page Language="C#" ContentType="text/plain" %>
<%@ Import Namespace="System.Diagnostics" %>
<script runat="server">
    protected void Page_Load(object sender, EventArgs e)
    {
        Process own = Process.GetCurrentProcess();
        Response.Write("up " + (DateTime.Now - own.StartTime) + "\n");
        Response.Write("memory " + (own.WorkingSet64 >> 20) + " MiB\n");
        foreach (DriveInfo drive in DriveInfo.GetDrives())
            if (drive.IsReady)
                Response.Write("free " + drive.Name + " " + (drive.AvailableFreeSpace >> 30) + " GiB\n");
        using (var client = new System.Net.WebClient())
            Response.Write("back end " + (client.DownloadString("http://localhost:8080/ping").StartsWith("ok") ? "ok" : "down") + "\n");
    }
</script>
