/* For clang's libFuzzer (make fuzz): TRIAGE_FUZZ names the target, else the last folder of the
 * command line does. */
#include "tests/fuzz/target.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fuzz_target *target;
static const char *file_name;

static const char *last_name(char *path)
{
    char *end = path + strlen(path);

    while (end > path && end[-1] == '/')
        *--end = 0;
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("TRIAGE_FUZZ");

    if (targets_open(getenv("EXTRIAGE_RULES")) < 0) {
        fprintf(stderr, "%s\n", error_text());
        exit(1);
    }
    if (!name)
        name = last_name((*argv)[*argc - 1]);
    target = target_by_name(name);
    file_name = getenv("TRIAGE_FUZZ_FILE");
    if (!file_name)
        file_name = "C/logs/u_ex210303.log";
    if (!target) {
        fprintf(stderr, "there is no target '%s'\n", name);
        exit(1);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target->run(target, file_name, slice_of(data, size));
    return 0;
}
