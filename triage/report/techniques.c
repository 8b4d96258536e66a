/* Names of the techniques that our rules tag. Source: MITRE ATT&CK for Enterprise. */
#include "triage/report/sharing.h"

#include <stdlib.h>
#include <string.h>

/* Ascending ids. */
static const struct technique {
    const char *id, *name;
} techniques[] = {
    {"T1003", "OS Credential Dumping"},
    {"T1003.001", "LSASS Memory"},
    {"T1003.002", "Security Account Manager"},
    {"T1003.003", "NTDS"},
    {"T1005", "Data from Local System"},
    {"T1021.001", "Remote Desktop Protocol"},
    {"T1021.002", "SMB/Windows Admin Shares"},
    {"T1027", "Obfuscated Files or Information"},
    {"T1033", "System Owner/User Discovery"},
    {"T1036", "Masquerading"},
    {"T1036.003", "Rename Legitimate Utilities"},
    {"T1036.005", "Match Legitimate Resource Name or Location"},
    {"T1036.008", "Masquerade File Type"},
    {"T1041", "Exfiltration Over C2 Channel"},
    {"T1047", "Windows Management Instrumentation"},
    {"T1053.005", "Scheduled Task"},
    {"T1059", "Command and Scripting Interpreter"},
    {"T1059.001", "PowerShell"},
    {"T1059.003", "Windows Command Shell"},
    {"T1068", "Exploitation for Privilege Escalation"},
    {"T1070", "Indicator Removal"},
    {"T1070.001", "Clear Windows Event Logs"},
    {"T1070.004", "File Deletion"},
    {"T1070.006", "Timestomp"},
    {"T1071", "Application Layer Protocol"},
    {"T1074", "Data Staged"},
    {"T1074.001", "Local Data Staging"},
    {"T1078", "Valid Accounts"},
    {"T1087.002", "Domain Account"},
    {"T1087.003", "Email Account"},
    {"T1090", "Proxy"},
    {"T1098", "Account Manipulation"},
    {"T1098.002", "Additional Email Delegate Permissions"},
    {"T1105", "Ingress Tool Transfer"},
    {"T1112", "Modify Registry"},
    {"T1114.002", "Remote Email Collection"},
    {"T1114.003", "Email Forwarding Rule"},
    {"T1134", "Access Token Manipulation"},
    {"T1134.001", "Token Impersonation/Theft"},
    {"T1136", "Create Account"},
    {"T1136.001", "Local Account"},
    {"T1140", "Deobfuscate/Decode Files or Information"},
    {"T1189", "Drive-by Compromise"},
    {"T1190", "Exploit Public-Facing Application"},
    {"T1197", "BITS Jobs"},
    {"T1204.002", "Malicious File"},
    {"T1219", "Remote Access Tools"},
    {"T1486", "Data Encrypted for Impact"},
    {"T1490", "Inhibit System Recovery"},
    {"T1496", "Resource Hijacking"},
    {"T1505.002", "Transport Agent"},
    {"T1505.003", "Web Shell"},
    {"T1505.004", "IIS Components"},
    {"T1518.001", "Security Software Discovery"},
    {"T1543.003", "Windows Service"},
    {"T1546.003", "Windows Management Instrumentation Event Subscription"},
    {"T1546.008", "Accessibility Features"},
    {"T1546.012", "Image File Execution Options Injection"},
    {"T1547.001", "Registry Run Keys / Startup Folder"},
    {"T1547.004", "Winlogon Helper DLL"},
    {"T1547.005", "Security Support Provider"},
    {"T1556.002", "Password Filter DLL"},
    {"T1557", "Adversary-in-the-Middle"},
    {"T1560", "Archive Collected Data"},
    {"T1560.001", "Archive via Utility"},
    {"T1562", "Impair Defenses"},
    {"T1562.001", "Disable or Modify Tools"},
    {"T1562.002", "Disable Windows Event Logging"},
    {"T1562.004", "Disable or Modify System Firewall"},
    {"T1562.008", "Disable or Modify Cloud Logs"},
    {"T1564", "Hide Artifacts"},
    {"T1564.001", "Hidden Files and Directories"},
    {"T1564.002", "Hidden Users"},
    {"T1564.004", "NTFS File Attributes"},
    {"T1567", "Exfiltration Over Web Service"},
    {"T1567.002", "Exfiltration to Cloud Storage"},
    {"T1569.002", "Service Execution"},
    {"T1572", "Protocol Tunneling"},
    {"T1595", "Active Scanning"},
    {"T1595.002", "Vulnerability Scanning"},
    {"T1620", "Reflective Code Loading"},
};

static int by_id(const void *id, const void *technique)
{
    return strcmp(id, ((const struct technique *)technique)->id);
}

const char *sharing_technique_name(const char *id)
{
    const struct technique *found =
        bsearch(id, techniques, sizeof techniques / sizeof *techniques, sizeof *techniques, by_id);

    return found ? found->name : NULL;
}
