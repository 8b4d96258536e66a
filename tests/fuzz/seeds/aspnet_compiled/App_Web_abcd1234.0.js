//@set @position(file="C:\\inetpub\\wwwroot\\aspnet_client\\gone.aspx";line=1)
