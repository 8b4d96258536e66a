/*
 * old_kernel PROGRAM [ARGUMENT]...: runs a program as on a kernel that has neither seccomp nor
 * Landlock: the calls that ask for them answer as if they were not there.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

#define LOAD(member)       BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define GIVE(what)         BPF_STMT(BPF_RET | BPF_K, what)

int main(int argc, char **argv)
{
    struct sock_filter filter[] = {
        LOAD(nr),
        IS(SYS_landlock_create_ruleset, 5, 0),
        IS(SYS_seccomp, 4, 0),
        IS(SYS_prctl, 0, 4),
        LOAD(args[0]),
        IS(PR_GET_SECCOMP, 3, 0),
        IS(PR_SET_SECCOMP, 2, 1),
        GIVE(SECCOMP_RET_ERRNO | ENOSYS),
        GIVE(SECCOMP_RET_ALLOW),
        GIVE(SECCOMP_RET_ERRNO | EINVAL),
    };
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
        perror("old_kernel");
        return 77;
    }
    execv(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
