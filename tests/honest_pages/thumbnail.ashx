<%@ WebHandler Language="C#" Class="Thumbnail" %>
using System;
using System.Drawing;
using System.Drawing.Drawing2D;
using System.Drawing.Imaging;
using System.IO;
using System.Web;

public class Thumbnail : IHttpHandler
{
    public bool IsReusable { get { return true; } }

    public void ProcessRequest(HttpContext context)
    {
        int number, width;
        if (!int.TryParse(context.Request["id"], out number) || !int.TryParse(context.Request["w"], out width) || width < 16 || width > 1024)
        {
            context.Response.StatusCode = 400;
            return;
        }
        string path = Path.Combine(context.Server.MapPath("~/App_Data/pictures"), number + ".jpg");
        if (!File.Exists(path))
        {
            context.Response.StatusCode = 404;
            return;
        }
        using (Image picture = Image.FromFile(path))
        using (Bitmap small = new Bitmap(width, picture.Height * width / picture.Width))
        using (Graphics canvas = Graphics.FromImage(small))
        {
            canvas.InterpolationMode = InterpolationMode.HighQualityBicubic;
            canvas.DrawImage(picture, 0, 0, small.Width, small.Height);
            context.Response.ContentType = "image/jpeg";
            context.Response.Cache.SetCacheability(HttpCacheability.Public);
            small.Save(context.Response.OutputStream, ImageFormat.Jpeg);
        }
    }
}
