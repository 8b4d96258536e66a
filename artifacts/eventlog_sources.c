/* The kind of event that has a sentence for a provider and an event id. Which log sources a channel
 * and an id mean is data: rules/logsources.yml. */
#include "artifacts/eventlog_event.h"

#define ANY_NUMBER UINT64_MAX

static const struct {
    const char *provider;
    uint64_t number;
    enum kind kind;
} kinds[] = {
    {"MSExchange CmdletLogs", 1, KIND_evt_cmdlet},
    {"MSExchange CmdletLogs", 6, KIND_evt_cmdlet_failed},
    {"MSExchange Control Panel", 4, KIND_evt_ecp_error},
    {"MSExchange Control Panel", ANY_NUMBER, KIND_evt_ecp},
    {"MSExchange Unified Messaging", ANY_NUMBER, KIND_evt_um},
    {"MSExchange Front End HTTP Proxy", ANY_NUMBER, KIND_evt_frontend},
    {"MSExchange Mitigation Service", ANY_NUMBER, KIND_evt_mitigation},
    {"IIS-W3SVC-WP", ANY_NUMBER, KIND_evt_iis},
    {"Microsoft-Windows-IIS-W3SVC-WP", ANY_NUMBER, KIND_evt_iis},
    {"Microsoft-Windows-IIS-APPHOSTSVC", ANY_NUMBER, KIND_evt_iis},
    {"Microsoft-Windows-IIS-Configuration", ANY_NUMBER, KIND_evt_iis_configuration},
    {"ASP.NET 4.0.30319.0", 1309, KIND_evt_aspnet},
    {"MsiInstaller", ANY_NUMBER, KIND_evt_msi},
    {"ESENT", ANY_NUMBER, KIND_evt_esent},
    {"Windows Error Reporting", 1001, KIND_evt_wer},
    {"Application Error", 1000, KIND_evt_crash},
    {".NET Runtime", 1026, KIND_evt_dotnet},
    {"Microsoft-Windows-Security-Auditing", 4616, KIND_evt_clock},
    {"Microsoft-Windows-Security-Auditing", 4624, KIND_evt_logon},
    {"Microsoft-Windows-Security-Auditing", 4625, KIND_evt_logon_failed},
    {"Microsoft-Windows-Security-Auditing", 4648, KIND_evt_logon_explicit},
    {"Microsoft-Windows-Security-Auditing", 4672, KIND_evt_privileges},
    {"Microsoft-Windows-Security-Auditing", 4688, KIND_evt_process},
    {"Microsoft-Windows-Security-Auditing", 4697, KIND_evt_service_security},
    {"Microsoft-Windows-Security-Auditing", 4698, KIND_evt_task_security},
    {"Microsoft-Windows-Security-Auditing", 4699, KIND_evt_task_security},
    {"Microsoft-Windows-Security-Auditing", 4700, KIND_evt_task_security},
    {"Microsoft-Windows-Security-Auditing", 4701, KIND_evt_task_security},
    {"Microsoft-Windows-Security-Auditing", 4702, KIND_evt_task_security},
    {"Microsoft-Windows-Security-Auditing", 4720, KIND_evt_account_created},
    {"Microsoft-Windows-Security-Auditing", 4722, KIND_evt_account},
    {"Microsoft-Windows-Security-Auditing", 4724, KIND_evt_account},
    {"Microsoft-Windows-Security-Auditing", 4726, KIND_evt_account},
    {"Microsoft-Windows-Security-Auditing", 4738, KIND_evt_account},
    {"Microsoft-Windows-Security-Auditing", 4728, KIND_evt_group},
    {"Microsoft-Windows-Security-Auditing", 4732, KIND_evt_group},
    {"Microsoft-Windows-Security-Auditing", 4756, KIND_evt_group},
    {"Microsoft-Windows-Security-Auditing", 4776, KIND_evt_ntlm_check},
    {"Microsoft-Windows-Security-Auditing", 5140, KIND_evt_share},
    {"Microsoft-Windows-Security-Auditing", 5145, KIND_evt_share},
    {"Microsoft-Windows-Eventlog", 1102, KIND_evt_log_cleared},
    {"Microsoft-Windows-Eventlog", 104, KIND_evt_log_cleared},
    {"Service Control Manager", 7045, KIND_evt_service},
    {"Service Control Manager", 7036, KIND_evt_service_state},
    {"Service Control Manager", 7040, KIND_evt_service_start},
    {"Microsoft-Windows-PowerShell", 4104, KIND_evt_script_block},
    {"Microsoft-Windows-PowerShell", 4103, KIND_evt_ps_module},
    {"PowerShellCore", 4104, KIND_evt_script_block},
    {"PowerShellCore", 4103, KIND_evt_ps_module},
    {"PowerShell", 400, KIND_evt_ps_start},
    {"PowerShell", 600, KIND_evt_ps_start},
    {"PowerShell", 800, KIND_evt_ps_start},
    {"Microsoft-Windows-TaskScheduler", ANY_NUMBER, KIND_evt_task},
    {"Microsoft-Windows-Windows Defender", 1116, KIND_evt_defender_found},
    {"Microsoft-Windows-Windows Defender", 1117, KIND_evt_defender_found},
    {"Microsoft-Windows-Windows Defender", 5007, KIND_evt_defender_changed},
    {"Microsoft-Windows-Windows Defender", ANY_NUMBER, KIND_evt_defender},
    {"Microsoft-Windows-Bits-Client", 59, KIND_evt_bits},
    {"Microsoft-Windows-Bits-Client", 60, KIND_evt_bits},
    {"Microsoft-Windows-Bits-Client", 3, KIND_evt_bits_job},
    {"Microsoft-Windows-WMI-Activity", ANY_NUMBER, KIND_evt_wmi},
    {"Microsoft-Windows-TerminalServices-LocalSessionManager", ANY_NUMBER, KIND_evt_session},
    {"Microsoft-Windows-TerminalServices-RemoteConnectionManager", 1149, KIND_evt_rdp},
    {"Microsoft-Windows-CodeIntegrity", ANY_NUMBER, KIND_evt_code_integrity},
    {"Microsoft-Windows-Windows Firewall With Advanced Security", ANY_NUMBER, KIND_evt_firewall},
    {"Microsoft-Windows-SMBServer", ANY_NUMBER, KIND_evt_smb},
    {"Microsoft-Windows-NTLM", ANY_NUMBER, KIND_evt_ntlm},
    {"Microsoft-Windows-Sysmon", 1, KIND_evt_process},
    {"Microsoft-Windows-Sysmon", 3, KIND_evt_sysmon_network},
    {"Microsoft-Windows-Sysmon", 7, KIND_evt_sysmon_image},
    {"Microsoft-Windows-Sysmon", 10, KIND_evt_sysmon_access},
    {"Microsoft-Windows-Sysmon", 11, KIND_evt_sysmon_file},
    {"Microsoft-Windows-Sysmon", 12, KIND_evt_sysmon_registry},
    {"Microsoft-Windows-Sysmon", 13, KIND_evt_sysmon_registry},
    {"Microsoft-Windows-Sysmon", 14, KIND_evt_sysmon_registry},
    {"Microsoft-Windows-Sysmon", 15, KIND_evt_sysmon_file},
    {"Microsoft-Windows-Sysmon", 17, KIND_evt_sysmon_pipe},
    {"Microsoft-Windows-Sysmon", 18, KIND_evt_sysmon_pipe},
    {"Microsoft-Windows-Sysmon", 22, KIND_evt_sysmon_dns},
    {"Microsoft-Windows-Sysmon", 23, KIND_evt_sysmon_deleted},
    {"Microsoft-Windows-Sysmon", 26, KIND_evt_sysmon_deleted},
};

enum kind eventlog_kind_of(struct slice provider, uint64_t number)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if ((kinds[i].number == number || kinds[i].number == ANY_NUMBER) &&
            slice_is_nocase(provider, kinds[i].provider))
            return kinds[i].kind;

    return KIND_evt_other;
}
