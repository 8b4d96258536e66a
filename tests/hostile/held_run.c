/*
 * For LD_PRELOAD: a run that finds the file $HOLD removes it, and waits before it starts its first
 * worker, which is after its case ($HOLD_BEGUN) has begun and before anything of the evidence is
 * read, until a signal comes. $HELD names a file that gets its process number then. So a test can
 * end a run in its midst, however fast or slow the machine is. See fleet_common.sh.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_held;

static void tell(const char *path)
{
    char beside[4096];

    snprintf(beside, sizeof beside, "%s.new", path);
    FILE *file = fopen(beside, "w");
    if (!file)
        return;
    fprintf(file, "%ld\n", (long)getpid());
    if (fclose(file) == 0 && rename(beside, path) != 0)
        perror(path);
}

/* Signals come in while it waits, and then only: none goes by before. */
static void hold(const char *once, const char *held)
{
    sigset_t all, before;

    is_held = true;
    if (unlink(once) != 0)
        return;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    tell(held);
    sigsuspend(&before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

pid_t fork(void)
{
    pid_t (*real)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
    const char *once = getenv("HOLD"), *held = getenv("HELD");
    const char *begun = getenv("HOLD_BEGUN");

    if (!is_held && once && held && begun && access(begun, F_OK) == 0)
        hold(once, held);
    return real();
}
