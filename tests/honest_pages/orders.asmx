<%@ WebService Language="C#" Class="Orders" %>
using System;
using System.Collections.Generic;
using System.Configuration;
using System.Data;
using System.Data.SqlClient;
using System.Web.Services;

[WebService(Namespace = "http://example.org/orders")]
[WebServiceBinding(ConformsTo = WsiProfiles.BasicProfile1_1)]
public class Orders : WebService
{
    [WebMethod(Description = "The state of one order.")]
    public string State(int number)
    {
        using (var connection = new SqlConnection(ConfigurationManager.ConnectionStrings["shop"].ConnectionString))
        using (var command = new SqlCommand("SELECT state FROM orders WHERE number = @number", connection))
        {
            command.Parameters.Add("@number", SqlDbType.Int).Value = number;
            connection.Open();
            return command.ExecuteScalar() as string ?? "unknown";
        }
    }

    [WebMethod]
    public List<DateTime> Deliveries(int number, int days)
    {
        var found = new List<DateTime>();
        for (int i = 0; i < days; i++)
            found.Add(DateTime.Today.AddDays(i));
        return found;
    }
}
