#include "triage/base/sandbox.h"

#include "triage/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif
#ifdef HAVE_LINUX_LANDLOCK_H
#include <linux/landlock.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif

void sandbox_raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Bytes of address space in use, from /proc/self/statm; 0 when it cannot be read. */
static size_t address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file)
        return 0;
    if (fscanf(file, "%lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int limit_resource(__rlimit_resource_t resource, rlim_t value, const char *name)
{
    const struct rlimit limit = {value, value};

    return setrlimit(resource, &limit) == 0 ? 0 : error_set_errno("cannot limit %s", name);
}

static int limit_resources(const struct sandbox *sandbox)
{
    if (limit_resource(RLIMIT_CORE, 0, "core dumps") < 0)
        return -1;
    const size_t used = address_space();
    if (UNDER_SANITIZER || sandbox->memory == 0 || used == 0)
        return 0; /* a sanitizer reserves terabytes */
    return limit_resource(RLIMIT_AS, used + sandbox->memory, "memory");
}

#ifdef HAVE_LINUX_LANDLOCK_H
static int allow_reading_below(int rules, const char *root)
{
    struct landlock_path_beneath_attr beneath = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    };

    beneath.parent_fd = open(root, O_PATH | O_CLOEXEC);
    if (beneath.parent_fd < 0)
        return error_set_errno("cannot open '%s'", root);
    const long result =
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    const int reason = errno;
    close(beneath.parent_fd);
    errno = reason;
    return result == 0 ? 0 : error_set_errno("cannot limit file access to '%s'", root);
}

/* All of the first version of the interface: reading, writing and making of any kind is refused
 * unless allowed. */
static int restrict_files(const struct sandbox *sandbox)
{
    const struct landlock_ruleset_attr attributes = {.handled_access_fs = (1u << 13) - 1};
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes,
                                   sizeof attributes.handled_access_fs, 0);
    int result = 0;

    if (rules < 0)
        return 0; /* the kernel has none, or it is switched off */
    for (size_t i = 0; sandbox->roots && sandbox->roots[i] && result == 0; i++)
        result = allow_reading_below(rules, sandbox->roots[i]);
    if (result == 0 && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        result = error_set_errno("cannot limit file access");
    close(rules);
    return result;
}
#else
static int restrict_files(const struct sandbox *sandbox)
{
    (void)sandbox;
    return 0;
}
#endif

#ifdef HAVE_SECCOMP
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(lseek),
    SCMP_SYS(fcntl),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(getrandom),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getdents64),
    SCMP_SYS(rseq),
    SCMP_SYS(prlimit64),
    SCMP_SYS(fstatfs),
    SCMP_SYS(geteuid),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
};

static int allow_reading(scmp_filter_ctx filter)
{
    const unsigned long writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, writing, 0));
}

/* Only thread creation: a new process would not share memory. */
static int allow_threads(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) |
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) |
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(set_robust_list), 0);
}

static int restrict_calls(const struct sandbox *sandbox)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int result = filter ? 0 : -1;

    for (size_t i = 0; result == 0 && i < sizeof allowed / sizeof *allowed; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    if (result == 0 && sandbox->open_read_only)
        result = allow_reading(filter);
    if (result == 0 && sandbox->threads)
        result = allow_threads(filter);
    if (result == 0)
        result = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return result == 0 ? 0 : error_set("cannot limit the worker's system calls");
}
#else
static int restrict_calls(const struct sandbox *sandbox)
{
    (void)sandbox;
    return 0;
}
#endif

int sandbox_enter(const struct sandbox *sandbox)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_set_errno("cannot give up new privileges");
    if (limit_resources(sandbox) < 0)
        return -1;
    if (UNDER_SANITIZER)
        return 0; /* its reports need calls that a worker must not have */
    if (restrict_files(sandbox) < 0)
        return -1;
    return restrict_calls(sandbox);
}

const char *sandbox_description(void)
{
    if (UNDER_SANITIZER)
        return "none (built with a sanitizer)";
#if defined(HAVE_SECCOMP) && defined(HAVE_LINUX_LANDLOCK_H)
    return "seccomp, landlock where the kernel has it, memory limit";
#elif defined(HAVE_SECCOMP)
    return "seccomp, memory limit";
#else
    return "memory limit only (built without libseccomp)";
#endif
}
