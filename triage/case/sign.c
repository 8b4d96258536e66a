#include "triage/case/sign.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *key_of(const char *how)
{
    return strlen(how) > 4 ? how + 4 : "";
}

int sign_check(const char *how)
{
    if (strcmp(how, "gpg") == 0 || (strncmp(how, "gpg:", 4) == 0 && how[4]))
        return 0;
    if (strncmp(how, "ssh:", 4) != 0 || !how[4])
        return error_set("--sign is gpg, gpg:KEYID or ssh:KEYFILE, not '%s'", how);
    return access(how + 4, R_OK) == 0 ? 0 : error_set_errno("cannot read the key '%s'", how + 4);
}

/* Runs a program with our own standard input and error: it may ask for a passphrase. */
static int run_program(char *const *arguments)
{
    posix_spawn_file_actions_t actions;
    int status = 0;
    pid_t child;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const int problem = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (problem) {
        errno = problem;
        return error_set_errno("cannot run '%s'", arguments[0]);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return error_set_errno("'%s' was lost", arguments[0]);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? 0
               : error_set("'%s' did not sign SHA256SUMS", arguments[0]);
}

static char *mutable(const char *text)
{
    return (char *)(uintptr_t)text; /* posix_spawn wants it so, and changes nothing */
}

static int sign_gpg(const char *sums, const char *key)
{
    struct buffer output = BUFFER_EMPTY;
    char *arguments[16];
    size_t count = 0;

    buffer_format(&output, "%s.asc", sums);
    arguments[count++] = mutable("gpg");
    arguments[count++] = mutable("--yes");
    arguments[count++] = mutable("--quiet");
    arguments[count++] = mutable("--armor");
    if (*key) {
        arguments[count++] = mutable("--local-user");
        arguments[count++] = mutable(key);
    }
    arguments[count++] = mutable("--output");
    arguments[count++] = mutable(buffer_text(&output));
    arguments[count++] = mutable("--detach-sign");
    arguments[count++] = mutable("--");
    arguments[count++] = mutable(sums);
    arguments[count] = NULL;
    const int result = run_program(arguments);
    buffer_release(&output);
    return result;
}

static int sign_ssh(const char *sums, const char *key)
{
    char *arguments[] = {mutable("ssh-keygen"), mutable("-Y"),       mutable("sign"),
                         mutable("-n"),         mutable("extriage"), mutable("-f"),
                         mutable(key),          mutable(sums),       NULL};

    return run_program(arguments);
}

int sign_sums(const char *folder, const char *how)
{
    struct buffer sums = BUFFER_EMPTY;

    sign_remove(folder);
    buffer_format(&sums, "%s%s/SHA256SUMS", *folder == '-' ? "./" : "", folder);
    const int result = strncmp(how, "gpg", 3) == 0 ? sign_gpg(buffer_text(&sums), key_of(how))
                                                   : sign_ssh(buffer_text(&sums), key_of(how));
    buffer_release(&sums);
    return result;
}

void sign_remove(const char *folder)
{
    static const char *const names[] = {"SHA256SUMS.asc", "SHA256SUMS.sig"};
    struct buffer path = BUFFER_EMPTY;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        buffer_clear(&path);
        buffer_format(&path, "%s/%s", folder, names[i]);
        unlink(buffer_text(&path));
    }
    buffer_release(&path);
}
