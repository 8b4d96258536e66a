#include "triage/engine/file_type.h"

#include <string.h>

/* In this order, the first that fits: longer ones stand in front of their own beginnings. */
static const struct {
    const char *bytes;
    size_t size;
    const char *word;
} types[] = {
#define TYPE(bytes, word)                                                                          \
    {                                                                                              \
        bytes, sizeof bytes - 1, word                                                              \
    }
    TYPE("\x1F\x8B\x08", "GZIP"),
    TYPE("%PDF", "PDF"),
    TYPE("PK\x03\x04\x14\x00\x06\x00", "Office"),
    TYPE("PK\x03\x04\x14\x00\x08\x00", "JAR"),
    TYPE("PK\x03\x04", "ZIP"),
    TYPE("PK\x05\x06", "PKZIP"),
    TYPE("PKSpX", "PKSFX"),
    TYPE("7z\xBC\xAF\x27\x1C", "7Zip"),
    TYPE("Rar!\x1A\x07", "RAR"),
    TYPE("WinZip", "WinZIP"),
    TYPE("BZh", "BZip2"),
    TYPE("MSCF", "CAB"),
    TYPE("\xFF\xD8\xFF", "JPEG"),
    TYPE("GIF", "GIF"),
    TYPE("regf", "Registry Hive"),
    TYPE("ElfFil", "EVTX"),
    TYPE("0\x00\x00\x00LfLe", "EVT"),
    TYPE("MDMP", "MDMP"),
    TYPE("FILE", "NTFS MFT"),
    TYPE("L\x00\x00\x00\x01\x14\x02\x00", "LNK"),
    TYPE("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "OLE"),
    TYPE("\x0D"
         "DOC",
         "DOC"),
    TYPE("{\\rtf1", "RTF"),
    TYPE("CWS", "SWF"),
    TYPE("ZWS", "SWF"),
    TYPE("FWS", "FWS (Flash)"),
    TYPE("\xCA\xFE\xBA\xBE", "Class"),
    TYPE("KDM", "VMDK"),
    TYPE("# Disk D", "VMDK"),
    TYPE("COWD", "VMDK"),
    TYPE("conectix", "VHD"),
    TYPE("\xD4\xC3\xB2\xA1", "WINPCAP"),
    TYPE("\xA1\xB2\xC3\xD4", "LIBPCAP"),
    TYPE("\xA1\xB2\xCD\x34", "LIBPCAP"),
    TYPE("\x7F"
         "E",
         "ELF"),
    TYPE("MZ", "EXE"),
    TYPE("Function", "VBS"),
    TYPE("<?php", "PHP"),
    TYPE("<?xm", "XML"),
    TYPE("<?XM", "XML"),
    TYPE("\xFF\xFE<\x00?\x00x\x00m\x00l", "Windows At Job"),
    TYPE("\xFF\xFE<\x00%\x00@", "JSP"),
    TYPE("<%", "JSP"),
    TYPE("#!/", "UNIX SCRIPT"),
    TYPE("#!", "Script"),
    TYPE("\xFF\xFE", "Windows Registry File"),
#undef TYPE
};

const char *file_type(struct slice content)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (content.size >= types[i].size &&
            memcmp(content.data, types[i].bytes, types[i].size) == 0)
            return types[i].word;
    return "UNKNOWN";
}

/* learn.microsoft.com, "Well-known SIDs". */
const char *owner_name(const char *sid)
{
    static const struct {
        const char *sid, *name;
    } known[] = {
        {"S-1-5-18", "NT AUTHORITY\\SYSTEM"},
        {"S-1-5-19", "NT AUTHORITY\\LOCAL SERVICE"},
        {"S-1-5-20", "NT AUTHORITY\\NETWORK SERVICE"},
        {"S-1-5-32-544", "BUILTIN\\Administrators"},
        {"S-1-5-32-545", "BUILTIN\\Users"},
        {"S-1-5-32-568", "BUILTIN\\IIS_IUSRS"},
        {"S-1-5-17", "NT AUTHORITY\\IUSR"},
        {"S-1-1-0", "Everyone"},
        {"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
         "NT SERVICE\\TrustedInstaller"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].sid, sid) == 0)
            return known[i].name;
    return sid;
}
