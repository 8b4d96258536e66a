/* Channels and event ids in the words of Sigma's taxonomy, and the kind of event that has a
 * sentence for them. */
#include "artifacts/eventlog_event.h"

#include <string.h>

/* Channel as the record has it, service as Sigma calls it (sigma-specification, appendix taxonomy;
 * services of the windows log sources). */
#define CHANNELS(X)                                                                                \
    X("Security", "security")                                                                      \
    X("System", "system")                                                                          \
    X("Application", "application")                                                                \
    X("Microsoft-Windows-Sysmon/Operational", "sysmon")                                            \
    X("Microsoft-Windows-PowerShell/Operational", "powershell")                                    \
    X("PowerShellCore/Operational", "powershell")                                                  \
    X("Windows PowerShell", "powershell-classic")                                                  \
    X("MSExchange Management", "msexchange-management")                                            \
    X("Microsoft-Windows-TaskScheduler/Operational", "taskscheduler")                              \
    X("Microsoft-Windows-Windows Defender/Operational", "windefend")                               \
    X("Microsoft-Windows-Bits-Client/Operational", "bits-client")                                  \
    X("Microsoft-Windows-WMI-Activity/Operational", "wmi")                                         \
    X("Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",                        \
      "terminalservices-localsessionmanager")                                                      \
    X("Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational",                    \
      "terminalservices-remoteconnectionmanager")                                                  \
    X("Microsoft-IIS-Configuration/Operational", "iis-configuration")                              \
    X("Microsoft-Windows-CodeIntegrity/Operational", "codeintegrity-operational")                  \
    X("Microsoft-Windows-Windows Firewall With Advanced Security/Firewall", "firewall-as")         \
    X("Microsoft-Windows-SMBServer/Security", "smbserver-security")                                \
    X("Microsoft-Windows-SMBServer/Operational", "smbserver-operational")                          \
    X("Microsoft-Windows-SMBServer/Connectivity", "smbserver-connectivity")                        \
    X("Microsoft-Windows-SmbClient/Security", "smbclient-security")                                \
    X("Microsoft-Windows-SmbClient/Connectivity", "smbclient-connectivity")                        \
    X("Microsoft-Windows-NTLM/Operational", "ntlm")                                                \
    X("DNS Server", "dns-server")                                                                  \
    X("Microsoft-Windows-DNS-Client/Operational", "dns-client")                                    \
    X("Microsoft-Windows-DriverFrameworks-UserMode/Operational", "driver-framework")               \
    X("Microsoft-Windows-AppLocker/EXE and DLL", "applocker")                                      \
    X("Microsoft-Windows-AppLocker/MSI and Script", "applocker")                                   \
    X("Microsoft-Windows-PrintService/Admin", "printservice-admin")                                \
    X("Microsoft-Windows-PrintService/Operational", "printservice-operational")                    \
    X("Microsoft-Windows-LSA/Operational", "lsa-server")                                           \
    X("Microsoft-Windows-CAPI2/Operational", "capi2")                                              \
    X("Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational",                  \
      "certificateservicesclient-lifecycle-system")                                                \
    X("Microsoft-Windows-Security-Mitigations/KernelMode", "security-mitigations")                 \
    X("Microsoft-Windows-Security-Mitigations/UserMode", "security-mitigations")                   \
    X("Microsoft-Windows-Diagnosis-Scripted/Operational", "diagnosis-scripted")                    \
    X("Microsoft-Windows-Shell-Core/Operational", "shell-core")                                    \
    X("Microsoft-Windows-AppXDeploymentServer/Operational", "appxdeployment-server")               \
    X("Microsoft-Windows-AppxPackaging/Operational", "appxpackaging-om")                           \
    X("Microsoft-Windows-AppModel-Runtime/Admin", "appmodel-runtime")                              \
    X("Microsoft-Windows-Kernel-EventTracing", "kernel-event-tracing")                             \
    X("Microsoft-Windows-VHDMP/Operational", "vhdmp")                                              \
    X("OpenSSH/Operational", "openssh")

/* Categories that an id of a service stands for, with a type of registry event where that decides.
 */
#define CATEGORIES(X)                                                                              \
    X("security", 4688, "", "process_creation")                                                    \
    X("sysmon", 1, "", "process_creation")                                                         \
    X("sysmon", 2, "", "file_change")                                                              \
    X("sysmon", 3, "", "network_connection")                                                       \
    X("sysmon", 4, "", "sysmon_status")                                                            \
    X("sysmon", 16, "", "sysmon_status")                                                           \
    X("sysmon", 5, "", "process_termination")                                                      \
    X("sysmon", 6, "", "driver_load")                                                              \
    X("sysmon", 7, "", "image_load")                                                               \
    X("sysmon", 8, "", "create_remote_thread")                                                     \
    X("sysmon", 9, "", "raw_access_thread")                                                        \
    X("sysmon", 10, "", "process_access")                                                          \
    X("sysmon", 11, "", "file_event")                                                              \
    X("sysmon", 12, "CreateKey", "registry_add")                                                   \
    X("sysmon", 12, "DeleteKey", "registry_delete")                                                \
    X("sysmon", 12, "DeleteValue", "registry_delete")                                              \
    X("sysmon", 13, "", "registry_set")                                                            \
    X("sysmon", 14, "", "registry_rename")                                                         \
    X("sysmon", 15, "", "create_stream_hash")                                                      \
    X("sysmon", 17, "", "pipe_created")                                                            \
    X("sysmon", 18, "", "pipe_created")                                                            \
    X("sysmon", 19, "", "wmi_event")                                                               \
    X("sysmon", 20, "", "wmi_event")                                                               \
    X("sysmon", 21, "", "wmi_event")                                                               \
    X("sysmon", 22, "", "dns_query")                                                               \
    X("sysmon", 23, "", "file_delete")                                                             \
    X("sysmon", 24, "", "clipboard_capture")                                                       \
    X("sysmon", 25, "", "process_tampering")                                                       \
    X("sysmon", 26, "", "file_delete")                                                             \
    X("sysmon", 27, "", "file_block_executable")                                                   \
    X("sysmon", 28, "", "file_block_shredding")                                                    \
    X("sysmon", 29, "", "file_executable_detected")                                                \
    X("sysmon", 255, "", "sysmon_error")                                                           \
    X("powershell", 4103, "", "ps_module")                                                         \
    X("powershell", 4104, "", "ps_script")                                                         \
    X("powershell-classic", 400, "", "ps_classic_start")                                           \
    X("powershell-classic", 600, "", "ps_classic_provider_start")                                  \
    X("powershell-classic", 800, "", "ps_classic_script")

static const char *const registry[] = {"registry_add", "registry_delete", "registry_set",
                                       "registry_rename"};

const struct log_source eventlog_sources[] = {
#define X(channel, service) {NULL, "windows", service},
    CHANNELS(X)
#undef X
#define X(service, number, type, category) {category, "windows", service},
        CATEGORIES(X)
#undef X
            {"registry_event", "windows", "sysmon"},
    {NULL, "exchange", "rps-cmdlet"},
    {NULL, "windows", NULL},
    {NULL, NULL, NULL},
};

static const struct channel {
    const char *name;
    struct log_source sources[2];
} channels[] = {
#define X(channel, service) {channel, {{NULL, "windows", service}}},
    CHANNELS(X)
#undef X
};

static const struct category {
    const char *service;
    uint64_t number;
    const char *type;
    struct log_source sources[2];
} categories[] = {
#define X(service, number, type, category)                                                         \
    {service, number, type, {{category, "windows", service}}},
    CATEGORIES(X)
#undef X
};

/* Registry events have two categories, cmdlets of Exchange are what its own log of cmdlets has too.
 */
static const struct log_source registry_sources[][3] = {
    {{"registry_add", "windows", "sysmon"}, {"registry_event", "windows", "sysmon"}},
    {{"registry_delete", "windows", "sysmon"}, {"registry_event", "windows", "sysmon"}},
    {{"registry_set", "windows", "sysmon"}, {"registry_event", "windows", "sysmon"}},
    {{"registry_rename", "windows", "sysmon"}, {"registry_event", "windows", "sysmon"}},
};
static const struct log_source cmdlet_sources[] = {{NULL, "windows", "msexchange-management"},
                                                   {NULL, "exchange", "rps-cmdlet"},
                                                   {NULL, NULL, NULL}};
static const struct log_source other_sources[] = {{NULL, "windows", NULL}, {NULL, NULL, NULL}};

static const struct log_source *with_registry(const struct log_source *sources)
{
    for (size_t i = 0; i < sizeof registry / sizeof *registry; i++)
        if (strcmp(sources->category, registry[i]) == 0)
            return registry_sources[i];
    return sources;
}

static const struct channel *find_channel(struct slice name)
{
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        if (slice_is_nocase(name, channels[i].name))
            return &channels[i];
    return NULL;
}

const struct log_source *eventlog_sources_of(struct slice channel, uint64_t number,
                                             struct slice type)
{
    const struct channel *known = find_channel(channel);

    if (!known)
        return other_sources;
    const char *service = known->sources[0].service;
    if (strcmp(service, "msexchange-management") == 0)
        return cmdlet_sources;
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
        const struct category *category = &categories[i];
        if (category->number == number && strcmp(category->service, service) == 0 &&
            (!*category->type || slice_is_nocase(type, category->type)))
            return with_registry(category->sources);
    }
    return known->sources;
}

/* --- kinds --- */

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
