/* A summary of one page or two, for a ticket or a wiki. Text from the evidence stands in code spans
 * or has its marks taken away, so that it stays text. */
#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/report/sharing.h"
#include "triage/report/writer.h"

#include <stdlib.h>
#include <string.h>

enum { LISTED = 50, STEPS = 100 };

struct part {
    const char *heading, *columns, *query, *where;
    /* How a row is written. Cells: %w words, %c a code span, %m a time, %n a number, %d whether it
     * is deleted, %b words behind a colon or nothing. */
    const char *form;
    size_t most;
};

struct summary {
    struct sharing s;
    const struct part *part;
    size_t rows;
};

/* One line of plain words: what Markdown or HTML would take for a mark gets a backslash. */
static void add_words(struct buffer *out, const char *text)
{
    struct buffer valid = BUFFER_EMPTY;

    utf8_append_tame(&valid, slice_of_text(text ? text : ""));
    for (size_t i = 0; i < valid.size; i++) {
        const uint8_t c = valid.data[i];
        if (strchr("\\`*_{}[]<>#|!~&", c)) {
            buffer_add_byte(out, '\\');
            buffer_add_byte(out, c);
        } else
            buffer_add_byte(out, c);
    }
    buffer_release(&valid);
}

/* A code span: nothing in it is a mark but the backtick, and the bar within a table. */
static void add_code(struct buffer *out, const char *text)
{
    struct buffer valid = BUFFER_EMPTY;

    if (!text || !*text) {
        buffer_add_text(out, "-");
        return;
    }
    utf8_append_tame(&valid, slice_of_text(text));
    buffer_add_byte(out, '`');
    for (size_t i = 0; i < valid.size; i++) {
        const uint8_t c = valid.data[i];
        buffer_add_byte(out, c == '`' || c == '|' ? ' ' : c);
    }
    buffer_add_byte(out, '`');
    buffer_release(&valid);
}

static void add_minute(struct buffer *out, const char *time)
{
    if (time && strlen(time) >= 19)
        buffer_format(out, "%.10s %.8s", time, time + 11);
    else
        buffer_add_text(out, "-");
}

static void begin(struct summary *summary, const struct part *part)
{
    const char *columns = part->columns;

    summary->part = part;
    summary->rows = 0;
    buffer_format(&summary->s.text, "\n## %s\n\n", part->heading);
    if (!columns)
        return;
    buffer_format(&summary->s.text, "| %s |\n|", columns);
    for (const char *at = columns; at; at = strchr(at + 1, '|'))
        buffer_add_text(&summary->s.text, " --- |");
    buffer_add_byte(&summary->s.text, '\n');
}

/* Says what the list leaves out, and ends a section. */
static int finish(struct summary *summary)
{
    const struct part *part = summary->part;

    if (summary->rows == 0)
        buffer_add_text(&summary->s.text, "\nNone.\n");
    if (summary->rows > part->most)
        buffer_format(&summary->s.text, "\n%zu more are left out here: see %s.\n",
                      summary->rows - part->most, part->where);
    return sharing_flush(&summary->s);
}

/* One cell as its letter in the form says. */
static void add_cell(struct buffer *out, char letter, const char *cell)
{
    if (letter == 'w')
        add_words(out, cell);
    else if (letter == 'c')
        add_code(out, cell);
    else if (letter == 'm')
        add_minute(out, cell);
    else if (letter == 'n')
        buffer_add_text(out, cell ? cell : "0");
    else if (letter == 'd' && cell && atoi(cell))
        buffer_add_text(out, "deleted");
    else if (letter == 'b' && cell) {
        buffer_add_text(out, ": ");
        add_words(out, cell);
    }
}

/* A row: the cells in their order, one for each '%'. */
static int add_row(void *context, const char *const *cells)
{
    struct summary *summary = context;
    const struct part *part = summary->part;

    if (summary->rows++ >= part->most)
        return 0;
    for (const char *at = part->form; *at; at++)
        if (*at == '%')
            add_cell(&summary->s.text, *++at, *cells++);
        else
            buffer_add_byte(&summary->s.text, (uint8_t)*at);
    return 0;
}

static const struct part parts[] = {
    {"Verdict", NULL, "SELECT summary, name, confidence, first, last FROM verdict", "findings.json",
     "%w\n\nVerdict: **%w**, confidence: **%w**. First trace %m, last %m (UTC).\n", LISTED},
    {"What cannot be known", NULL,
     "SELECT x.value FROM document d, json_each(d.body, '$.verdict.limits') x WHERE d.name = "
     "'findings' ORDER BY x.id",
     "findings.json", "- %w\n", LISTED},
    {"Incidents", "No. | Kind | How far | Confidence | First (UTC) | Last | Indicators",
     "SELECT id, kind, name, confidence, first, last, indicator_count FROM v_incident",
     "v_incident in case.db", "| %n | %w | %w | %w | %m | %m | %n |\n", LISTED},
    {"What happened", "Time (UTC) | What | By | Object",
     "SELECT time, CASE WHEN tried THEN 'Tried: ' ELSE '' END || what, actor, object FROM step "
     "WHERE incident IN (SELECT id FROM incident WHERE "
     "kind = 'intrusion') ORDER BY time, incident, number",
     "the table step in case.db", "| %m | %w | %c | %c |\n", STEPS},
    {"Addresses", "Address | Incidents | First (UTC) | Last | Indicators",
     "SELECT address, incidents, first, last, indicator_count FROM v_actor WHERE rung > 1",
     "v_actor in case.db", "| %c | %w | %m | %m | %n |\n", LISTED},
    {"Files of the intruder", "Path | SHA-256 | First (UTC) | Requests | State",
     "SELECT path, sha256, first, requests, deleted FROM incident_file WHERE incident IN (SELECT "
     "id "
     "FROM incident WHERE kind = 'intrusion') ORDER BY first, path",
     "the table incident_file in case.db", "| %c | %c | %m | %n | %d |\n", LISTED},
    {"Taken", NULL, "SELECT what, status, how FROM taken ORDER BY rowid", "findings.json",
     "- %c: %w, %w\n", LISTED},
    {"Encrypted or destroyed", NULL,
     "SELECT json_extract(x.value, '$.what'), json_extract(x.value, '$.rule'), "
     "json_extract(x.value, "
     "'$.how') FROM document d, json_each(d.body, '$.destroyed') x WHERE d.name = 'findings' ORDER "
     "BY x.id",
     "findings.json", "- %c: %w, %w\n", LISTED},
    {"Vulnerabilities", "CVE | This server | Outcome | Why",
     "SELECT cve, exposure, outcome, why FROM v_cve WHERE outcome <> 'none_seen' OR exposure = "
     "'vulnerable'",
     "v_cve in case.db", "| %w | %w | %w | %w |\n", LISTED},
    {"Mitigations", "Mitigation | State | From (UTC) | Until",
     "SELECT json_extract(m.value, '$.name'), json_extract(m.value, '$.state'), coalesce(substr("
     "json_extract(s.value, '$.from'), 1, 19), 'not known'), coalesce(substr(json_extract(s.value, "
     "'$.until'), 1, 19), CASE WHEN json_extract(s.value, '$.in_place') THEN 'still in place' ELSE "
     "'not known' END) FROM document d, json_each(d.body, '$.mitigations') m, json_each(m.value, "
     "'$.spans') s WHERE d.name = 'findings' ORDER BY m.id, s.id",
     "findings.json", "| %w | %w | %w | %w |\n", LISTED},
    {"How far back the logs reach", "Log | First record (UTC) | Files deleted | What that means",
     "SELECT json_extract(r.value, '$.artifact'), substr(json_extract(r.value, '$.first'), 1, 19), "
     "json_extract(r.value, '$.deleted_files'), json_extract(r.value, '$.why') FROM document d, "
     "json_each(d.body, '$.retention') r WHERE d.name = 'findings' ORDER BY r.id",
     "findings.json", "| %w | %w | %w | %w |\n", LISTED},
    {"What to do next", NULL, "SELECT what, why FROM lead ORDER BY rowid", "findings.json",
     "- %w%b\n", LISTED},
};

static int write_all(struct case_file *file, FILE *out)
{
    struct summary summary = {0};
    int result = sharing_begin(&summary.s, file, out);

    buffer_add_text(&summary.s.text, "# Exchange server ");
    if (result == 0)
        add_words(&summary.s.text, *summary.s.host ? summary.s.host : "of unknown name");
    buffer_add_byte(&summary.s.text, '\n');
    for (size_t i = 0; i < sizeof parts / sizeof *parts && result == 0; i++) {
        begin(&summary, &parts[i]);
        result = case_query(file, parts[i].query, add_row, &summary);
        if (i == 0) /* the verdict is no list */
            summary.rows = 1;
        if (result == 0)
            result = finish(&summary);
    }
    sharing_release(&summary.s);
    return result;
}

const struct writer writer_markdown = {
    .name = "markdown",
    .file = "summary.md",
    .title = "the verdict, incidents, files, vulnerabilities and leads on a page or two",
    .optional = true,
    .write = write_all,
};
