#include "triage/formats/job_file.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

enum {
    FILE_VERSION = 1,
    VARIABLE_PART = 68, /* bytes of the fixed part */
    TRIGGER_SIZE = 48,
};

static struct instant read_system_time(struct cursor *c)
{
    struct civil civil = {0};

    civil.year = cursor_u16le(c);
    civil.month = cursor_u16le(c);
    cursor_u16le(c); /* weekday */
    civil.day = cursor_u16le(c);
    civil.hour = cursor_u16le(c);
    civil.minute = cursor_u16le(c);
    civil.second = cursor_u16le(c);
    civil.ticks = cursor_u16le(c) * 10000;
    return civil.year ? instant_from_civil(civil) : INSTANT_NONE;
}

/* A count of UTF-16 units, the NUL included, and the units. */
static const char *read_text(struct cursor *c, struct arena *arena)
{
    const size_t units = cursor_u16le(c);
    const struct slice utf16 = cursor_take(c, units * 2);
    const char *text = cursor_failed(c) ? NULL : utf16_to_text(arena, utf16, true);

    return text ? text : "";
}

static void skip_counted(struct cursor *c)
{
    cursor_skip(c, cursor_u16le(c));
}

static struct job_file_trigger read_trigger(struct slice bytes)
{
    struct cursor c = cursor_over(bytes, 0);
    struct job_file_trigger trigger;
    struct civil civil = {0};

    cursor_skip(&c, 4); /* size, reserved */
    civil.year = cursor_u16le(&c);
    civil.month = cursor_u16le(&c);
    civil.day = cursor_u16le(&c);
    cursor_skip(&c, 6); /* end date */
    civil.hour = cursor_u16le(&c);
    civil.minute = cursor_u16le(&c);
    cursor_skip(&c, 12); /* duration, interval, flags */
    trigger.type = cursor_u32le(&c);
    trigger.start = instant_from_civil(civil);
    return trigger;
}

static void read_triggers(struct cursor *c, struct job_file *out)
{
    const size_t count = cursor_u16le(c);

    for (size_t i = 0; i < count; i++) {
        const struct slice bytes = cursor_take(c, TRIGGER_SIZE);
        if (cursor_failed(c)) {
            out->problem = "a trigger is cut short";
            return;
        }
        if (out->trigger_count < JOB_FILE_TRIGGERS)
            out->triggers[out->trigger_count++] = read_trigger(bytes);
    }
}

static int read_fixed(struct cursor *c, struct job_file *out)
{
    const uint16_t product = cursor_u16le(c), version = cursor_u16le(c);

    cursor_skip(c, 16); /* UUID */
    const uint16_t name_offset = cursor_u16le(c);
    cursor_skip(c, 18); /* triggers' offset, retries, idle times, priority, longest run */
    out->exit_code = cursor_u32le(c);
    cursor_skip(c, 4); /* status */
    out->flags = cursor_u32le(c);
    out->last_run = read_system_time(c);
    if (cursor_failed(c) || product == 0 || version != FILE_VERSION ||
        name_offset != VARIABLE_PART + 2)
        return error_set("it does not begin as a .job file does");
    return 0;
}

int job_file_read(struct slice bytes, struct arena *arena, struct job_file *out)
{
    struct cursor c = cursor_over(bytes, 0);

    *out = (struct job_file){.application = "", .parameters = ""};
    if (read_fixed(&c, out) < 0)
        return -1;
    cursor_seek(&c, VARIABLE_PART);
    cursor_skip(&c, 2); /* running instances */
    out->application = read_text(&c, arena);
    if (cursor_failed(&c))
        return error_set("the name of the program is cut short");
    out->parameters = read_text(&c, arena);
    out->folder = read_text(&c, arena);
    out->author = read_text(&c, arena);
    out->comment = read_text(&c, arena);
    skip_counted(&c); /* user data */
    skip_counted(&c); /* reserved */
    if (cursor_failed(&c))
        out->problem = "it is cut short behind the name of the program";
    else
        read_triggers(&c, out);
    return 0;
}

const char *job_file_trigger_name(uint32_t type)
{
    static const char *const names[] = {
        "once", "daily",        "weekly", "monthly", "monthly by weekday",
        "idle", "system start", "logon"};

    return type < sizeof names / sizeof *names ? names[type] : "unknown";
}
