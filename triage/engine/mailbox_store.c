#include "triage/engine/mailbox_store.h"

#include <string.h>
#include <strings.h>

enum { DIGITS_LEAST = 2, DIGITS_MOST = 10 };

/* "E00.log", "E0000000A2F.log", "E00tmp.log", "E00res00001.jrs": transaction logs of a database
 * (learn.microsoft.com, "Extensible Storage Engine Files"). */
static bool is_transaction_log(const char *name, const char *dot)
{
    const size_t digits = strspn(name + 1, "0123456789abcdefABCDEF");
    const char *rest = name + 1 + digits;

    if ((*name | 0x20) != 'e' || digits < DIGITS_LEAST || digits > DIGITS_MOST)
        return false;
    if (strcasecmp(dot, ".jrs") == 0 || strcasecmp(dot, ".jtx") == 0)
        return true;
    return strcasecmp(dot, ".log") == 0 && (rest == dot || strncasecmp(rest, "tmp.", 4) == 0);
}

bool is_mailbox_store(const char *path)
{
    static const char *const endings[] = {".edb", ".stm", ".pst", ".ost"};
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return dot && is_transaction_log(name, dot);
}
