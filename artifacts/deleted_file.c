/*
 * Deleted files that could have run, or that hold what was gathered, wherever they lay, and all of
 * temporary and public folders: what is
 * left of each is hashed and searched by the content rules as if it were still there. Small ones
 * lie whole in their $MFT entry; of others the clusters are read as far as no file has taken them.
 */
#include "artifacts/file_listing.h"

static const char *const paths[] = {"**/*.aspx",
                                    "**/*.asp",
                                    "**/*.ashx",
                                    "**/*.asmx",
                                    "**/*.asax",
                                    "**/*.cshtml",
                                    "**/*.soap",
                                    "**/*.svc",
                                    "**/*.php",
                                    "**/*.jsp",
                                    "**/*.master",
                                    "**/*.ascx",
                                    "**/*.ps1",
                                    "**/*.psm1",
                                    "**/*.bat",
                                    "**/*.cmd",
                                    "**/*.vbs",
                                    "**/*.js",
                                    "**/*.hta",
                                    "**/*.exe",
                                    "**/*.dll",
                                    "**/*.scr",
                                    "**/*.dmp",
                                    "**/*.pst",
                                    "**/*.zip",
                                    "**/*.7z",
                                    "**/*.rar",
                                    "**/*.cab",
                                    "**/*.cs",
                                    "**/*.config",
                                    "**/*.compiled",
                                    "$Orphan/entry-*",
                                    "{windows}/Temp/**",
                                    "Users/*/AppData/Local/Temp/**",
                                    "Users/Public/**",
                                    "ProgramData/*",
                                    "PerfLogs/**",
                                    "$Recycle.Bin/**",
                                    NULL};
static const struct log_source sources[] = {{NULL, "windows", "deletedfile"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_deleted_file;
const struct artifact artifact_deleted_file = {
    .name = "deleted_file",
    .title = "Deleted scripts, programs, dumps and archives",
    .paths = paths,
    .sources = sources,
    .scan = true,
    .deleted = true,
    .spare = true,
    .parse = file_listing_parse,
};
