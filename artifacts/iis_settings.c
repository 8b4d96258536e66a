#include "artifacts/iis_settings.h"

#include <string.h>
#include <strings.h>

enum { ATTRIBUTES = 8, CONDITIONS_SIZE = 2048 };

struct walk {
    const struct xml_file *file;
    struct arena *arena;
    struct iis_setting setting;
};

/* Which elements count: `parent` is the element around, NULL for any; `element` the element itself,
 * NULL for add, remove and clear. */
struct known {
    const char *parent, *element, *section;
    enum kind kind;
    void (*more)(struct walk *walk, const struct xml_element *element);
    struct {
        const char *attribute, *field;
    } attributes[ATTRIBUTES];
};

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

static bool is_true(const char *text)
{
    return text && strcasecmp(text, "true") == 0;
}

static void add(struct walk *walk, const char *name, const char *text)
{
    struct iis_setting *setting = &walk->setting;

    if (text && *text && setting->value_count < SETTING_VALUES)
        setting->values[setting->value_count++] = (struct iis_setting_value){name, text};
}

static const struct xml_element *around(const struct xml_element *element, const char *name)
{
    const struct xml_element *at = element->parent;

    while (at && strcmp(at->name, name) != 0)
        at = at->parent;
    return at;
}

/* "/owa" and "/auth" make "/owa/auth"; "/" stands for nothing. */
static const char *joined(struct walk *walk, const char *application, const char *directory)
{
    const char *first = strcmp(application, "/") == 0 ? "" : application;
    const char *second = strcmp(directory, "/") == 0 ? "" : directory;

    if (!*first && !*second)
        return "/";
    return text_or_empty(arena_format(walk->arena, "%.512s%.512s", first, second));
}

static void more_of_directory(struct walk *walk, const struct xml_element *element)
{
    const char *application = xml_attribute(around(element, "application"), "path");
    const char *path = xml_attribute(element, "path");

    add(walk, "SiteName", xml_attribute(around(element, "site"), "name"));
    add(walk, "VirtualPath", joined(walk, text_or_empty(application), text_or_empty(path)));
}

static void more_of_log(struct walk *walk, const struct xml_element *element)
{
    const struct xml_element *site = around(element, "site");

    add(walk, "SiteName", xml_attribute(site, "name"));
    add(walk, "SiteId", xml_attribute(site, "id"));
}

/* "{HTTP_X} matches y; ..." of a rewrite rule. */
static void more_of_rule(struct walk *walk, const struct xml_element *element)
{
    const struct xml_element *match = xml_child(element, "match");
    const struct xml_element *action = xml_child(element, "action");
    const struct xml_element *condition = xml_find(element, "conditions/add");
    struct buffer text = BUFFER_EMPTY;

    add(walk, "Pattern", xml_attribute(match, "url"));
    add(walk, "ServerVariable", xml_attribute(match, "serverVariable"));
    add(walk, "ActionType", xml_attribute(action, "type"));
    add(walk, "ActionUrl", xml_attribute(action, "url"));
    for (; condition && text.size < CONDITIONS_SIZE; condition = xml_again(condition))
        buffer_format(&text, "%s%.500s %s %.1000s", text.size ? "; " : "",
                      text_or_empty(xml_attribute(condition, "input")),
                      is_true(xml_attribute(condition, "negate")) ? "matches not" : "matches",
                      text_or_empty(xml_attribute(condition, "pattern")));
    add(walk, "Conditions", arena_text(walk->arena, buffer_slice(&text)));
    buffer_release(&text);
}

/* Without an element or attribute of its own the protection is off. */
static void more_of_protection(struct walk *walk, const struct xml_element *element)
{
    const struct xml_element *protection = xml_child(element, "extendedProtection");
    const char *checking = xml_attribute(protection, "tokenChecking");

    add(walk, "TokenChecking", checking ? checking : "None");
    add(walk, "TokenFlags", xml_attribute(protection, "flags"));
}

/* The element's name and attributes as one text, for settings that need no columns of their own. */
static void more_of_setting(struct walk *walk, const struct xml_element *element)
{
    struct buffer text = BUFFER_EMPTY;

    add(walk, "Setting",
        arena_format(walk->arena, "%.100s/%.100s", walk->setting.section, element->name));
    for (size_t i = 0; i < element->attribute_count && text.size < CONDITIONS_SIZE; i++)
        buffer_format(&text, "%s%.100s=%.1000s", i ? " " : "", element->attributes[i].name,
                      element->attributes[i].value);
    add(walk, "Value", arena_text(walk->arena, buffer_slice(&text)));
    buffer_release(&text);
}

#define MODULE                                                                                     \
    {                                                                                              \
        {"name", "ModuleName"}, {"image", "ImagePath"}, {"type", "Type"},                          \
        {                                                                                          \
            "preCondition", "PreCondition"                                                         \
        }                                                                                          \
    }
#define HANDLER                                                                                    \
    {                                                                                              \
        {"name", "HandlerName"}, {"path", "HandlerPath"}, {"verb", "Verb"},                        \
            {"modules", "Modules"}, {"scriptProcessor", "ScriptProcessor"}, {"type", "Type"},      \
        {                                                                                          \
            "preCondition", "PreCondition"                                                         \
        }                                                                                          \
    }
#define RULE                                                                                       \
    {                                                                                              \
        {"name", "RuleName"}, {"enabled", "Enabled"},                                              \
        {                                                                                          \
            "stopProcessing", "StopProcessing"                                                     \
        }                                                                                          \
    }
#define LOG                                                                                        \
    {                                                                                              \
        {"enabled", "Enabled"}, {"dontLog", "DontLog"}, {"directory", "LogDirectory"},             \
            {"logFormat", "LogFormat"}, {"logExtFileFlags", "LogFields"},                          \
        {                                                                                          \
            "selectiveLogging", "SelectiveLogging"                                                 \
        }                                                                                          \
    }
#define NOTHING                                                                                    \
    {                                                                                              \
        {                                                                                          \
            NULL, NULL                                                                             \
        }                                                                                          \
    }

static const struct known known[] = {
    {"globalModules", "add", "globalModules", KIND_iis_module, NULL, MODULE},
    {"modules", NULL, "modules", KIND_iis_module, NULL, MODULE},
    {"httpModules", NULL, "httpModules", KIND_iis_module, NULL, MODULE},
    {"handlers", NULL, "handlers", KIND_iis_handler, NULL, HANDLER},
    {"httpHandlers", NULL, "httpHandlers", KIND_iis_handler, NULL, HANDLER},
    {"buildProviders",
     NULL,
     "buildProviders",
     KIND_iis_handler,
     NULL,
     {{"extension", "HandlerPath"}, {"type", "Type"}}},
    {"isapiFilters",
     "filter",
     "isapiFilters",
     KIND_iis_filter,
     NULL,
     {{"name", "FilterName"}, {"path", "ImagePath"}, {"enabled", "Enabled"}}},
    {"isapiCgiRestriction",
     "add",
     "isapiCgiRestriction",
     KIND_iis_filter,
     NULL,
     {{"description", "FilterName"}, {"path", "ImagePath"}, {"allowed", "Enabled"}}},
    {"application",
     "virtualDirectory",
     "virtualDirectory",
     KIND_iis_directory,
     more_of_directory,
     {{"physicalPath", "PhysicalPath"}, {"userName", "RunAs"}}},
    {"site", "logFile", "logFile", KIND_iis_logging, more_of_log, LOG},
    {"siteDefaults", "logFile", "siteDefaults", KIND_iis_logging, more_of_log, LOG},
    {NULL, "httpLogging", "httpLogging", KIND_iis_logging, NULL, LOG},
    {"rules", "rule", "rewrite", KIND_iis_rewrite, more_of_rule, RULE},
    {"globalRules", "rule", "globalRewrite", KIND_iis_rewrite, more_of_rule, RULE},
    {"outboundRules", "rule", "outboundRewrite", KIND_iis_rewrite, more_of_rule, RULE},
    {"authentication",
     "windowsAuthentication",
     "windowsAuthentication",
     KIND_iis_protection,
     more_of_protection,
     {{"enabled", "Enabled"}}},
    {NULL,
     "machineKey",
     "machineKey",
     KIND_web_setting,
     more_of_setting,
     {{"validationKey", "ValidationKey"},
      {"decryptionKey", "DecryptionKey"},
      {"validation", "Validation"}}},
    {NULL, "customErrors", "customErrors", KIND_web_setting, more_of_setting, NOTHING},
    {NULL,
     "compilation",
     "compilation",
     KIND_web_setting,
     more_of_setting,
     {{"tempDirectory", "TempDirectory"}, {"debug", "Debug"}}},
    {"system.web", "pages", "pages", KIND_web_setting, more_of_setting, NOTHING},
    {"fileExtensions", NULL, "fileExtensions", KIND_web_setting, more_of_setting, NOTHING},
    {"hiddenSegments", NULL, "hiddenSegments", KIND_web_setting, more_of_setting, NOTHING},
    {NULL, "httpRedirect", "httpRedirect", KIND_web_setting, more_of_setting, NOTHING},
};

/* The path of the nearest <location>. */
static const char *location_of(const struct xml_element *element)
{
    return text_or_empty(xml_attribute(around(element, "location"), "path"));
}

static bool is_collection_word(const char *name)
{
    return strcmp(name, "add") == 0 || strcmp(name, "remove") == 0 || strcmp(name, "clear") == 0;
}

static bool is_known(const struct known *row, const struct xml_element *element)
{
    if (row->element ? strcasecmp(row->element, element->name) != 0
                     : !is_collection_word(element->name))
        return false;
    return !row->parent || (element->parent && strcasecmp(row->parent, element->parent->name) == 0);
}

static const struct known *known_of(const struct xml_element *element)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is_known(&known[i], element))
            return &known[i];
    return NULL;
}

static void fill(struct walk *walk, const struct known *row, const struct xml_element *element,
                 size_t index)
{
    walk->setting = (struct iis_setting){
        .kind = row->kind,
        .section = row->section,
        .action = is_collection_word(element->name) ? element->name : "set",
        .location = location_of(element),
        .element = element,
        .index = index,
    };
    for (size_t i = 0; i < ATTRIBUTES && row->attributes[i].attribute; i++)
        add(walk, row->attributes[i].field, xml_attribute(element, row->attributes[i].attribute));
    if (row->more)
        row->more(walk, element);
}

/* What tells it apart: the name, or for a directory where it is served from. */
static const char *name_of(struct walk *walk)
{
    static const char *const names[] = {"ModuleName", "HandlerName", "FilterName", "RuleName"};
    const struct iis_setting *setting = &walk->setting;
    const char *site = "", *path = "";

    for (size_t i = 0; i < setting->value_count; i++) {
        const struct iis_setting_value *value = &setting->values[i];
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            if (strcmp(value->name, names[j]) == 0)
                return value->text;
        if (strcmp(value->name, "SiteName") == 0)
            site = value->text;
        if (strcmp(value->name, "VirtualPath") == 0 || strcmp(value->name, "HandlerPath") == 0)
            path = value->text;
    }
    return text_or_empty(arena_format(walk->arena, "%.300s%.1200s", site, path));
}

void iis_settings_each(const struct xml_file *file, struct arena *arena,
                       void (*take)(void *context, const struct iis_setting *setting),
                       void *context)
{
    struct walk walk = {.file = file, .arena = arena};
    const struct xml_element *root = file->document.root, *at = root;
    size_t index = 0;

    for (; at; at = xml_walk(root, at), index++) {
        const struct known *row = known_of(at);
        if (!row)
            continue;
        fill(&walk, row, at, index);
        walk.setting.name = name_of(&walk);
        take(context, &walk.setting);
    }
}

void iis_setting_tell(const struct iis_setting *setting, struct entry *entry)
{
    entry_add(entry, "Section", setting->section);
    entry_add(entry, "Action", setting->action);
    entry_add(entry, "Location", setting->location);
    for (size_t i = 0; i < setting->value_count; i++)
        entry_add(entry, setting->values[i].name, setting->values[i].text);
}

/* --- a whole file --- */

struct telling {
    struct job *job;
    const struct xml_file *file;
};

static const char *value_of(const struct iis_setting *setting, const char *name)
{
    for (size_t i = 0; i < setting->value_count; i++)
        if (strcmp(setting->values[i].name, name) == 0)
            return setting->values[i].text;
    return NULL;
}

/* Mitigations and what keeps a fixed server open: the verdict weighs them. */
static bool is_fact(enum kind kind)
{
    return kind == KIND_iis_rewrite || kind == KIND_iis_protection;
}

static void tell(void *context, const struct iis_setting *setting)
{
    const struct telling *telling = context;
    const char *image = value_of(setting, "ImagePath");
    struct entry entry;

    entry_begin(&entry, telling->job, setting->kind);
    if (is_fact(setting->kind))
        entry.event.marks |= EVENT_FACT;
    iis_setting_tell(setting, &entry);
    if (image)
        entry_add(&entry, "ImageOnDisk", entry_program_on_disk(telling->job, image));
    xml_file_place(telling->file, setting->element, setting->index, &entry);
    entry_emit(&entry);
}

/* A configuration has no place for server-side code, not even in a comment: with a handler for its
 * extension it would run. */
static void tell_script(const struct telling *telling)
{
    const struct slice content = telling->file->content;
    const struct slice mark = telling->file->wide ? slice_of("<\0%\0", 4) : SLICE_LITERAL("<%");
    const size_t at = slice_find_nocase(content, 0, mark);
    struct entry entry;

    if (at == SIZE_MAX)
        return;
    entry_begin(&entry, telling->job, KIND_web_setting);
    entry_add(&entry, "Section", "text");
    entry_add(&entry, "Setting", "server-side code");
    entry_add(&entry, "Value", "<%");
    entry.event.offset = at;
    entry.event.raw = slice_part(content, at, 4096);
    entry_emit(&entry);
}

/* Settings that stand in another file are told, not followed. */
static void tell_elsewhere(const struct telling *telling)
{
    const struct xml_element *root = telling->file->document.root, *at = root;

    for (; at; at = xml_walk(root, at)) {
        const char *source = xml_attribute(at, "configSource");
        const char *text = source ? arena_format(telling->job->arena,
                                                 "<%.100s> is kept in '%.500s'", at->name, source)
                                  : NULL;
        if (text)
            job_notice(telling->job, 0, text);
    }
}

int iis_settings_parse(struct job *job)
{
    struct xml_file file;
    const struct telling telling = {job, &file};
    const int result = xml_file_read(job, KIND_web_setting, &file);

    if (result != 0)
        return result < 0 ? -1 : 0;
    iis_settings_each(&file, job->arena, tell, (void *)&telling);
    tell_script(&telling);
    tell_elsewhere(&telling);
    return 0;
}
