/* extriage: from a disk image to a timeline of Exchange compromise. This file only finds the
 * command. */
#include "triage/base/error.h"
#include "triage/commands/command.h"
#include "triage/commands/rule_folder.h"
#include "triage/report/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_run,    &command_info,  &command_verify, &command_extract,
    &command_report, &command_merge, &command_rules,
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_overview(FILE *out)
{
    fputs("usage: extriage COMMAND [OPTIONS] ...\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nextriage COMMAND --help tells more; extriage --version tells the version.\n"
          "EVIDENCE is the first segment of an E01 set, a raw or split raw image, a virtual disk, "
          "a folder or a single file.\n",
          out);
}

static void print_help(const struct command *command)
{
    struct buffer options = BUFFER_EMPTY;
    size_t count;
    const struct writer *const *writers = writer_all(&count);

    options_help(command->bit, &options);
    printf("usage: extriage %s %s\n%s.\n\n%s", command->name, command->usage, command->summary,
           buffer_text(&options));
    if (command->bit & (FOR_RUN | FOR_REPORT)) {
        puts("\noutputs for --format (`all` names every one; those with * are written only when "
             "named):");
        for (size_t i = 0; i < count; i++)
            printf("%c %-10s %s: %s\n", writers[i]->optional ? '*' : ' ', writers[i]->name,
                   writers[i]->file, writers[i]->title);
    }
    if (command->bit & (FOR_RUN | FOR_INFO | FOR_VERIFY | FOR_EXTRACT))
        puts("\nexit codes: 0 complete; 2 complete, findings; 3 evidence could not be read in "
             "full; 4 interrupted, can be\n"
             "resumed; 5 a stored hash is not the computed one; 1 usage or fatal error");
    buffer_release(&options);
}

static int run_command(const struct command *command, int argc, char **argv)
{
    static struct options options;

    if (options_parse(argc - 1, argv + 1, command->bit, &options) < 0) {
        fprintf(stderr, "extriage: %s\n", error_text());
        return EXIT_FATAL;
    }
    if (options.help) {
        print_help(command);
        return EXIT_COMPLETE;
    }
    rule_folder_choose(options.default_rules);
    return command->run(&options, argc, argv);
}

/* Without them a file of the case would become standard output. */
static void open_standard_descriptors(void)
{
    for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            return;
}

/* What was printed must have arrived, but for a reader who had enough. */
static int end_output(int code)
{
    if (fflush(stdout) == 0 || errno == EPIPE)
        return code;
    fprintf(stderr, "extriage: cannot write to standard output: %s\n", strerror(errno));
    return EXIT_FATAL;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    open_standard_descriptors();
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        puts("extriage " PACKAGE_VERSION);
        return EXIT_COMPLETE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_overview(stdout);
        return EXIT_COMPLETE;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return end_output(run_command(commands[i], argc, argv));
    if (*name)
        fprintf(stderr, "extriage: there is no command '%s'\n", name);
    print_overview(stderr);
    return EXIT_FATAL;
}
