#include "triage/base/sandbox.h"

#include "triage/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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

static bool entered;

void sandbox_raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void close_between(int first, int last)
{
    enum { MOST = 1 << 16 };

    if (first > last || close_range((unsigned)first, (unsigned)last, 0) == 0)
        return;
    for (int i = first; i <= last && i < MOST; i++) /* before Linux 5.9 */
        close(i);
}

void sandbox_drop_descriptors(int first, int keep)
{
    const int nothing = open("/dev/null", O_RDWR);

    for (int i = 0; i < first && i <= (UNDER_SANITIZER ? STDOUT_FILENO : STDERR_FILENO); i++)
        if (nothing >= 0)
            dup2(nothing, i);
    close_between(first, keep - 1);
    close_between(keep < first ? first : keep + 1, INT_MAX);
}

/* ---- what the kernel has ---- */

static bool has_seccomp(void)
{
#ifdef HAVE_SECCOMP
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
#else
    return false;
#endif
}

/* The version of its interface; 0 without. */
static int landlock_version(void)
{
#ifdef HAVE_LINUX_LANDLOCK_H
    const long version =
        syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

    return version > 0 ? (int)version : 0;
#else
    return 0;
#endif
}

/* ---- limits ---- */

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
    struct rlimit limit;

    /* A stricter limit that the process was started with stays. */
    if (getrlimit(resource, &limit) != 0 || limit.rlim_max > value)
        limit.rlim_max = value;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit) == 0 ? 0 : error_set_errno("cannot limit %s", name);
}

static int limit_resources(const struct sandbox *sandbox)
{
    if (limit_resource(RLIMIT_CORE, 0, "core dumps") < 0)
        return -1;
    if (UNDER_SANITIZER)
        return 0; /* it reserves terabytes, and writes reports */
    if (limit_resource(RLIMIT_FSIZE, sandbox->output, "the size of files") < 0)
        return -1;
    const size_t used = address_space();
    if (sandbox->memory == 0 || used == 0)
        return 0;
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

/* The kernel's struct in full; that of older headers ends with its first member. */
struct ruleset {
    uint64_t files, network, scoped;
};

/* Reading, writing and making of any kind, TCP, and signals to others: all is refused that this
 * version of the interface knows, unless it is allowed. */
static struct ruleset everything(int version)
{
    const uint64_t files = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;

    return (struct ruleset){
        .files = (UINT64_C(1) << files) - 1,
        .network = version >= 4 ? 3 : 0,
        .scoped = version >= 6 ? 3 : 0,
    };
}

static int restrict_files(const struct sandbox *sandbox)
{
    const int version = landlock_version();
    const struct ruleset ruleset = everything(version);
    const size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int result = 0;

    if (version == 0)
        return 0; /* the kernel has none, or it is switched off */
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
    if (rules < 0)
        return error_set_errno("cannot limit file access");
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
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
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
    SCMP_SYS(fstatfs),
    SCMP_SYS(geteuid),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
};

/* What no honest parser calls: whoever does has been taken over, and ends at once. */
static const int fatal[] = {
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(fsopen),
    SCMP_SYS(open_tree),
    SCMP_SYS(move_mount),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(memfd_create),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(creat),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(rmdir),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(symlink),
    SCMP_SYS(symlinkat),
    SCMP_SYS(truncate),
    SCMP_SYS(chmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(chown),
    SCMP_SYS(fchownat),
};

/* Ends the process as a whole where the kernel can (4.14). */
static uint32_t deadly(void)
{
    return seccomp_api_get() >= 3 ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_KILL;
}

/* One call whose argument `number` has `value` in the bits of `mask`. */
static int rule(scmp_filter_ctx filter, uint32_t action, int call, unsigned number, uint64_t mask,
                uint64_t value)
{
    const struct scmp_arg_cmp argument = {number, SCMP_CMP_MASKED_EQ, mask, value};

    return seccomp_rule_add_array(filter, action, call, 1, &argument);
}

static int forbid_writing(scmp_filter_ctx filter, int call, unsigned flags)
{
    return rule(filter, deadly(), call, flags, O_ACCMODE, O_WRONLY) |
           rule(filter, deadly(), call, flags, O_ACCMODE, O_RDWR) |
           rule(filter, deadly(), call, flags, O_ACCMODE | O_CREAT, O_RDONLY | O_CREAT);
}

static int allow_reading(scmp_filter_ctx filter)
{
    return rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2, O_ACCMODE | O_CREAT | O_TRUNC,
                O_RDONLY);
}

/* Only thread creation: a new process would not share memory. */
static int allow_threads(scmp_filter_ctx filter)
{
    return rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD) |
           rule(filter, deadly(), SCMP_SYS(clone), 0, CLONE_THREAD, 0) |
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) |
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(set_robust_list), 0);
}

static int forbid_threads(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, deadly(), SCMP_SYS(clone), 0) |
           seccomp_rule_add(filter, deadly(), SCMP_SYS(clone3), 0);
}

/* Calls that are harmless with some arguments only: fcntl can send any signal to anybody, tgkill
 * too, prlimit can starve the parent, and no memory becomes code any more. */
static int allow_in_part(scmp_filter_ctx filter)
{
    static const int of_descriptors[] = {F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC};
    const uint64_t number = UINT32_MAX;
    int result = rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, PROT_EXEC, 0) |
                 rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 2, PROT_EXEC, 0) |
                 rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0, number, (uint64_t)getpid()) |
                 seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, number, 0),
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, UINT64_MAX, 0));

    for (size_t i = 0; i < sizeof of_descriptors / sizeof *of_descriptors; i++)
        result |=
            rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, number, (uint64_t)of_descriptors[i]);
    return result;
}

static int add_rules(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
    int result = allow_in_part(filter) | forbid_writing(filter, SCMP_SYS(openat), 2) |
                 forbid_writing(filter, SCMP_SYS(open), 1) |
                 (sandbox->threads ? allow_threads(filter) : forbid_threads(filter));

    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        result |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        result |= seccomp_rule_add(filter, deadly(), fatal[i], 0);
    if (sandbox->open_read_only)
        result |= allow_reading(filter);
    return result;
}

static int restrict_calls(const struct sandbox *sandbox)
{
    if (!has_seccomp())
        return 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int result = filter ? add_rules(filter, sandbox) : -1;

    if (result == 0)
        result = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (result != 0)
        return error_set("cannot limit the worker's system calls");
    entered = true;
    return 0;
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

bool sandbox_is_entered(void)
{
    return entered;
}

const char *sandbox_description(void)
{
    static const char *const texts[] = {"memory limit only", "landlock, memory limit",
                                        "seccomp, memory limit", "seccomp, landlock, memory limit"};

    if (UNDER_SANITIZER)
        return "none (built with a sanitizer)";
    return texts[(has_seccomp() ? 2 : 0) + (landlock_version() ? 1 : 0)];
}

const char *sandbox_lack(void)
{
    if (UNDER_SANITIZER || has_seccomp())
        return NULL;
#ifdef HAVE_SECCOMP
    return landlock_version()
               ? "this kernel has no seccomp: a process that reads evidence is kept from files, "
                 "but not from all system calls"
               : "this kernel has neither seccomp nor Landlock: a process that reads evidence has "
                 "limits of memory and time only";
#else
    return "built without libseccomp: a process that reads evidence is not kept from system calls";
#endif
}
