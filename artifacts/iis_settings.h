/*
 * What a configuration of IIS or ASP.NET says: modules, handlers, filters, virtual directories,
 * logging, rewrite rules, authentication, keys. One table for applicationHost.config, its history
 * and every web.config. Source: system.applicationHost, system.webServer and system.web in the
 * configuration reference of IIS and of the .NET Framework.
 */
#ifndef ARTIFACTS_IIS_SETTINGS_H
#define ARTIFACTS_IIS_SETTINGS_H

#include "artifacts/xml_file.h"

enum { SETTING_VALUES = 16 };

struct iis_setting {
    enum kind kind;
    const char *section;  /* "globalModules", "modules" ... */
    const char *action;   /* "add", "remove", "clear"; "set" for an element that stands once */
    const char *location; /* path of the <location> that holds it; "" for the whole file */
    const char *name;     /* what tells it apart from others of its section */
    const struct xml_element *element;
    size_t index; /* of the element in the document */
    struct iis_setting_value {
        const char *name, *text; /* the text is never NULL */
    } values[SETTING_VALUES];
    size_t value_count;
};

/* Calls `take` for each setting in document order; texts live in the arena or the document. */
void iis_settings_each(const struct xml_file *file, struct arena *arena,
                       void (*take)(void *context, const struct iis_setting *setting),
                       void *context);
/* Its section, action, location and values. */
void iis_setting_tell(const struct iis_setting *setting, struct entry *entry);
/* The whole file as events; 0, or -1 as an artifact's parse() does. */
int iis_settings_parse(struct job *job);

#endif
