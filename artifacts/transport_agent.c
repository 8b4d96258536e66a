/*
 * Any agents.config below TransportRoles (Shared/agents.config, Shared/fetagents.config): the
 * programs that Exchange's transport loads and shows every message. Source: mexRuntime/agentList as
 * Exchange writes it.
 */
#include "artifacts/xml_file.h"

#include <string.h>

static void tell(struct job *job, const struct xml_file *file, const struct xml_element *element,
                 size_t index)
{
    static const struct {
        const char *attribute, *field;
    } known[] = {
        {"name", "AgentName"},
        {"assemblyPath", "AssemblyPath"},
        {"classFactory", "ClassFactory"},
        {"baseType", "BaseType"},
        {"enabled", "Enabled"},
        {"isCritical", "IsCritical"},
    };
    const char *assembly = xml_attribute(element, "assemblyPath");
    struct entry entry;

    entry_begin(&entry, job, KIND_transport_agent);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        entry_add(&entry, known[i].field, xml_attribute(element, known[i].attribute));
    if (assembly) {
        entry_add(&entry, "AssemblyName", entry_last_part(assembly));
        entry_add(&entry, "AssemblyOnDisk", entry_program_on_disk(job, assembly));
    }
    xml_file_place(file, element, index, &entry);
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    struct xml_file file;
    const int result = xml_file_read(job, KIND_transport_agent, &file);
    size_t index = 0;

    if (result != 0)
        return result < 0 ? -1 : 0;
    const struct xml_element *root = file.document.root, *at = root;
    for (; at; at = xml_walk(root, at), index++)
        if (strcmp(at->name, "agent") == 0)
            tell(job, &file, at, index);
    return 0;
}

static bool recognise(struct slice head, const char *name)
{
    return slice_ends_nocase(slice_of_text(name), "agents.config") &&
           slice_find_nocase(head, 0, SLICE_LITERAL("<mexRuntime")) != SIZE_MAX;
}

static const char *const paths[] = {"{exchange}/TransportRoles/**/*agents.config", NULL};
static const struct log_source sources[] = {{NULL, "windows", "transport-agent"},
                                            {NULL, NULL, NULL}};

extern const struct artifact artifact_transport_agent;
const struct artifact artifact_transport_agent = {
    .name = "transport_agent",
    .title = "Transport agents of Exchange",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .recognise = recognise,
    .parse = parse,
};
