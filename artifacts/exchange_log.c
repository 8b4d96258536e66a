#include "artifacts/exchange_log.h"

#include "artifacts/log_head.h"

#include <string.h>

static bool named(const struct exchange_log *log, const char *name)
{
    return slice_starts_nocase(slice_of_text(name), log->file);
}

static bool columns_match(const struct exchange_log *log, const struct log_head *head)
{
    for (size_t i = 0; i < EXCHANGE_LOG_COLUMNS; i++)
        if (log->columns[i] && !log_head_names(head, log->columns[i]))
            return false;
    return true;
}

static bool head_matches(const struct exchange_log *log, const struct log_head *head,
                         const char *name)
{
    if (head->log_type.size)
        return slice_starts_nocase(head->log_type, log->type);
    if (columns_match(log, head))
        return !log->same_columns || named(log, name);
    return head->fields.size == 0 && log_head_starts_stamp(head) && named(log, name);
}

bool exchange_log_recognise(const struct exchange_log *log, struct slice bytes, const char *name)
{
    struct log_head head;
    const bool match = log_head_read(bytes, &head) && head_matches(log, &head, name);

    log_head_release(&head);
    return match;
}

bool exchange_log_recognise_any(const struct exchange_log *logs, struct slice head,
                                const char *name)
{
    for (; logs->type; logs++)
        if (exchange_log_recognise(logs, head, name))
            return true;
    return false;
}
