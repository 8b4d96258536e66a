/*
 * Where intruders put what they bring along: temporary and public folders whole; scripts, programs
 * and server pages where no installation puts them. Each file is told with its hashes, and its
 * content is searched by the content rules.
 */
#include "artifacts/file_listing.h"

enum { FILES_MOST = 50000 };

#define SCRIPTS(folder)                                                                            \
    folder "/*.ps1", folder "/*.psm1", folder "/*.bat", folder "/*.cmd", folder "/*.vbs",          \
        folder "/*.vbe", folder "/*.js", folder "/*.jse", folder "/*.wsf", folder "/*.hta",        \
        folder "/*.sct", folder "/*.py"
#define PROGRAMS(folder)                                                                           \
    folder "/*.exe", folder "/*.dll", folder "/*.sys", folder "/*.com", folder "/*.scr",           \
        folder "/*.cpl", folder "/*.msi"
#define PAGES(folder)                                                                              \
    folder "/*.aspx", folder "/*.ashx", folder "/*.asmx", folder "/*.asax", folder "/*.asp",       \
        folder "/*.cshtml", folder "/*.svc", folder "/*.soap", folder "/*.php", folder "/*.jsp"

/* Deleted files are the business of deleted_file. */
static const char *const paths[] = {"{windows}/Temp/**",
                                    "{windows}/ServiceProfiles/*/AppData/Local/Temp/**",
                                    "{windows}/System32/config/systemprofile/AppData/Local/Temp/**",
                                    "{windows}/debug/**",
                                    "Users/*/AppData/Local/Temp/**",
                                    "Documents and Settings/*/Local Settings/Temp/**",
                                    "Temp/**",
                                    "Users/Public/**",
                                    "PerfLogs/**",
                                    "$Recycle.Bin/**",
                                    "RECYCLER/**",
                                    "ProgramData/*",
                                    SCRIPTS("ProgramData/**"),
                                    PROGRAMS("ProgramData/*"),
                                    SCRIPTS("Users/*/Desktop/**"),
                                    PROGRAMS("Users/*/Desktop/**"),
                                    SCRIPTS("Users/*/Downloads/**"),
                                    PROGRAMS("Users/*/Downloads/**"),
                                    SCRIPTS("Users/*/Documents/**"),
                                    PROGRAMS("Users/*/Documents/**"),
                                    SCRIPTS("Users/*/AppData/Roaming/*"),
                                    PROGRAMS("Users/*/AppData/Roaming/*"),
                                    SCRIPTS("{windows}/Fonts/**"),
                                    PROGRAMS("{windows}/Fonts/**"),
                                    SCRIPTS("{windows}/Tasks/**"),
                                    PROGRAMS("{windows}/Tasks/**"),
                                    PROGRAMS("inetpub"),
                                    PROGRAMS("inetpub/*"),
                                    SCRIPTS("inetpub/**"),
                                    "{windows}/*.ps1",
                                    "{windows}/*.bat",
                                    "{windows}/*.cmd",
                                    "{windows}/*.vbs",
                                    "{windows}/*.hta",
                                    "{windows}/System32/*.ps1",
                                    "{windows}/System32/*.bat",
                                    "{windows}/System32/*.cmd",
                                    "{windows}/System32/*.hta",
                                    "*.ps1",
                                    "*.bat",
                                    "*.cmd",
                                    "*.vbs",
                                    "*.js",
                                    "*.hta",
                                    "*.exe",
                                    "*.dll",
                                    "*.com",
                                    PAGES("Windows/System32/**"),
                                    PAGES("Users/**"),
                                    PAGES("ProgramData/**"),
                                    PAGES("inetpub/**"),
                                    NULL};
static const struct log_source sources[] = {{NULL, "windows", "loosefile"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_loose_file;
const struct artifact artifact_loose_file = {
    .name = "loose_file",
    .title = "Files in temporary, public and unusual places",
    .paths = paths,
    .sources = sources,
    .scan = true,
    .yields = true,
    .most = FILES_MOST,
    .parse = file_listing_parse,
};
