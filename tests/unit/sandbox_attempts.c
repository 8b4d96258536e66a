#include "tests/unit/sandbox_attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t parent;
struct attempt_places places = {
    .root = "/tmp/extriage-sandbox-XXXXXX", .output = -1, .precious = -1};

int make_places(void **state)
{
    (void)state;
    parent = getpid();
    if (!mkdtemp(places.root))
        return -1;
    snprintf(places.inside, sizeof places.inside, "%s/inside", places.root);
    snprintf(places.new_file, sizeof places.new_file, "%s/new", places.root);
    snprintf(places.link_out, sizeof places.link_out, "%s/link", places.root);
    const int file = open(places.inside, O_CREAT | O_WRONLY, 0600);
    places.precious = fcntl(file, F_DUPFD, 50); /* as a case would be: no flag closes it on fork */
    close(file);
    return symlink("/etc/passwd", places.link_out);
}

int remove_places(void **state)
{
    (void)state;
    unlink(places.inside);
    unlink(places.link_out);
    unlink(places.new_file);
    return rmdir(places.root);
}

static int outcome(long result)
{
    return result < 0 ? errno : DONE;
}

static int open_a_file(void)
{
    return outcome(open("/etc/passwd", O_RDONLY));
}

static int open_by_name_of_a_process(void)
{
    char path[40];

    snprintf(path, sizeof path, "/proc/%d/mem", parent);
    return outcome(open(path, O_RDONLY));
}

static int create_a_file(void)
{
    return outcome(open(places.new_file, O_WRONLY | O_CREAT, 0600));
}

static int write_a_file(void)
{
    return outcome(open(places.inside, O_RDWR));
}

static int empty_a_file(void)
{
    return outcome(open(places.inside, O_RDONLY | O_TRUNC));
}

static int delete_a_file(void)
{
    return outcome(unlink(places.inside));
}

static int internet(void)
{
    return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

static int unix_socket(void)
{
    return outcome(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int netlink(void)
{
    return outcome(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int fork_a_process(void)
{
    const pid_t child = fork();

    if (child == 0)
        _exit(0);
    return outcome(child);
}

static int clone_a_process(void)
{
    const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

    if (child == 0)
        _exit(0);
    return outcome(child);
}

static void *do_nothing(void *context)
{
    return context;
}

static int start_a_thread(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, do_nothing, NULL);
}

static int execute(void)
{
    char name[] = "true", *const arguments[] = {name, NULL};

    return outcome(execv("/bin/true", arguments));
}

static int trace_the_parent(void)
{
    return outcome(ptrace(PTRACE_ATTACH, parent, NULL, NULL));
}

static int read_the_parents_memory(void)
{
    char bytes[8];
    struct iovec here = {bytes, sizeof bytes}, there = {&parent, sizeof bytes};

    return outcome(process_vm_readv(parent, &here, 1, &there, 1, 0));
}

static int kill_the_parent(void)
{
    return outcome(kill(parent, 0)); /* 0: it would survive a hole */
}

static int signal_the_parents_thread(void)
{
    return outcome(syscall(SYS_tgkill, parent, parent, 0));
}

/* The kernel would send any signal on its behalf. */
static int have_the_parent_signalled(void)
{
    return outcome(fcntl(STDIN_FILENO, F_SETOWN, parent));
}

static int starve_the_parent(void)
{
    const struct rlimit limit = {0, 0};

    return outcome(prlimit(parent, RLIMIT_CORE, &limit, NULL));
}

static int raise_its_own_limit(void)
{
    const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    return outcome(prlimit(0, RLIMIT_AS, &limit, NULL));
}

static int mount_something(void)
{
    return outcome(mount("none", places.root, "tmpfs", 0, NULL));
}

static int leave_its_namespace(void)
{
    return outcome(unshare(CLONE_NEWUSER));
}

static int make_memory_a_file(void)
{
    return outcome(memfd_create("x", 0));
}

static int use_io_uring(void)
{
    static uint8_t parameters[256];

    return outcome(syscall(SYS_io_uring_setup, 4, parameters));
}

static int make_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) == MAP_FAILED
               ? errno
               : DONE;
}

static int write_to_what_it_inherited(void)
{
    return outcome(write(places.precious, "gone", 4));
}

int take_memory(void)
{
    void *volatile much = malloc((size_t)MEMORY + 1);

    return much ? DONE : errno;
}

static int take_time(void)
{
    static const volatile int never;

    while (!never)
        ;
    return DONE;
}

static int fill_the_disk(void)
{
    static const char zeroes[1 << 20];
    int result = 0;

    for (int i = 0; i < 8 && result == 0; i++)
        result = outcome(write(places.output, zeroes, sizeof zeroes));
    return result;
}

static int read_inside(void)
{
    return outcome(open(places.inside, O_RDONLY));
}

static int follow_a_link_out(void)
{
    return outcome(open(places.link_out, O_RDONLY));
}

const struct attempt attempts[] = {
    {"open a file", open_a_file, REFUSED, REFUSED, REFUSED},
    {"open the parent's memory", open_by_name_of_a_process, REFUSED, REFUSED, REFUSED},
    {"create a file", create_a_file, FATAL, FATAL, FATAL},
    {"write a file", write_a_file, FATAL, FATAL, FATAL},
    {"empty a file", empty_a_file, REFUSED, REFUSED, REFUSED},
    {"delete a file", delete_a_file, FATAL, FATAL, FATAL},
    {"an internet socket", internet, FATAL, FATAL, FATAL},
    {"a unix socket", unix_socket, FATAL, FATAL, FATAL},
    {"a netlink socket", netlink, FATAL, FATAL, FATAL},
    {"fork", fork_a_process, FATAL, FATAL, FATAL},
    {"clone", clone_a_process, FATAL, FATAL, FATAL},
    {"a thread", start_a_thread, FATAL, FATAL, WORKS},
    {"exec", execute, FATAL, FATAL, FATAL},
    {"ptrace", trace_the_parent, FATAL, FATAL, FATAL},
    {"read the parent's memory", read_the_parents_memory, FATAL, FATAL, FATAL},
    {"kill", kill_the_parent, FATAL, FATAL, FATAL},
    {"tgkill", signal_the_parents_thread, REFUSED, REFUSED, REFUSED},
    {"F_SETOWN", have_the_parent_signalled, REFUSED, REFUSED, REFUSED},
    {"prlimit", starve_the_parent, REFUSED, REFUSED, REFUSED},
    {"its own limit", raise_its_own_limit, REFUSED, REFUSED, REFUSED},
    {"mount", mount_something, FATAL, FATAL, FATAL},
    {"unshare", leave_its_namespace, FATAL, FATAL, FATAL},
    {"memfd", make_memory_a_file, FATAL, FATAL, FATAL},
    {"io_uring", use_io_uring, FATAL, FATAL, FATAL},
    {"code", make_code, REFUSED, REFUSED, REFUSED},
    {"an inherited descriptor", write_to_what_it_inherited, REFUSED, REFUSED, REFUSED},
    {"too much memory", take_memory, REFUSED, REFUSED, REFUSED},
    {"too much time", take_time, SILENT, SILENT, SILENT},
    {"too large a file", fill_the_disk, SIGNAL, SIGNAL, SIGNAL},
    {"read its folder", read_inside, REFUSED, WORKS, WORKS},
    {"a link that leads out of it", follow_a_link_out, REFUSED, REFUSED, REFUSED},
};

const size_t attempt_count = sizeof attempts / sizeof *attempts;

_Static_assert(sizeof attempts / sizeof *attempts <= ATTEMPTS_MOST, "room for all in a test");

bool is_about_names(const struct attempt *attempt)
{
    return attempt->run == open_a_file || attempt->run == open_by_name_of_a_process ||
           attempt->run == follow_a_link_out;
}

bool writes_output(const struct attempt *attempt)
{
    return attempt->run == fill_the_disk;
}

bool needs_inheritance(const struct attempt *attempt)
{
    return attempt->run == write_to_what_it_inherited || writes_output(attempt);
}
