/* The sandbox is proven by processes that try to get out of it: workers of the real pool, and the
 * process of a helper program. Each attempt fails, and whoever waits for the process hears of it.
 */
#include "triage/base/error.h"
#include "triage/base/sandbox.h"
#include "triage/engine/pool.h"
#include "triage/helpers/channel.h"
#include "triage/helpers/helper.h"
#include "triage/helpers/server.h"
#include "triage/record/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MEMORY = 256 << 20, OUTPUT = 1 << 20, FRAME_ERRNO = 1, DONE = 0 };

/* Set before the workers are forked. */
static pid_t parent;
static int output_file = -1;
static int precious = -1; /* a descriptor that no worker has to do with */
static char root[] = "/tmp/extriage-sandbox-XXXXXX", inside[100], new_file[100], link_out[100];

/* ---- attempts: 0 when it worked, else errno ---- */

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
    return outcome(open(new_file, O_WRONLY | O_CREAT, 0600));
}

static int write_a_file(void)
{
    return outcome(open(inside, O_RDWR));
}

static int empty_a_file(void)
{
    return outcome(open(inside, O_RDONLY | O_TRUNC));
}

static int delete_a_file(void)
{
    return outcome(unlink(inside));
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
    return outcome(mount("none", root, "tmpfs", 0, NULL));
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
    return outcome(write(precious, "gone", 4));
}

static int take_memory(void)
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
        result = outcome(write(output_file, zeroes, sizeof zeroes));
    return result;
}

static int read_inside(void)
{
    return outcome(open(inside, O_RDONLY));
}

static int follow_a_link_out(void)
{
    return outcome(open(link_out, O_RDONLY));
}

enum end {
    WORKS,   /* is allowed */
    REFUSED, /* gives an error, and the worker goes on */
    FATAL,   /* ends the worker, and the parent is told that it tried */
    SILENT,  /* the worker is ended for its silence */
    SIGNAL,  /* the worker is ended by the kernel */
};

static const struct attempt {
    const char *name;
    int (*run)(void);
    enum end parser, folder, verifier; /* for each kind of worker */
} attempts[] = {
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

enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

/* Needs Landlock: seccomp cannot tell one name from another. */
static bool is_about_names(const struct attempt *attempt)
{
    return attempt->run == open_a_file || attempt->run == open_by_name_of_a_process ||
           attempt->run == follow_a_link_out;
}

/* ---- workers ---- */

struct test {
    const struct sandbox *sandbox;
    bool framed[ATTEMPTS], ended[ATTEMPTS];
    int reason[ATTEMPTS];
    char problem[ATTEMPTS][200];
};

static void *start(void *context)
{
    return sandbox_enter(((struct test *)context)->sandbox) < 0 ? NULL : context;
}

static void run(void *state, struct slice body, struct outbox *outbox)
{
    struct cursor in = cursor_over(body, 0);
    struct buffer out = BUFFER_EMPTY;
    (void)state;

    output_file = outbox_output(outbox);
    wire_put_u32(&out, (uint32_t)attempts[wire_get_u32(&in)].run());
    outbox_send(outbox, FRAME_ERRNO, buffer_slice(&out));
    buffer_release(&out);
}

static void stop(void *state)
{
    (void)state;
}

static int frame(void *context, size_t task, uint8_t type, struct slice body)
{
    struct test *test = context;
    struct cursor in = cursor_over(body, 0);

    if (type != FRAME_ERRNO)
        return error_set("a frame of unknown kind");
    test->framed[task] = true;
    test->reason[task] = (int)wire_get_u32(&in);
    return 0;
}

static void ended(void *context, size_t task, const char *problem)
{
    struct test *test = context;

    test->ended[task] = true;
    snprintf(test->problem[task], sizeof test->problem[task], "%s", problem ? problem : "");
}

static void run_all(struct test *test)
{
    static const volatile int never;
    const struct pool pool = {.jobs = 2,
                              .timeout_seconds = 1,
                              .context = test,
                              .start = start,
                              .run = run,
                              .stop = stop,
                              .frame = frame,
                              .ended = ended};
    struct pool_task tasks[ATTEMPTS];
    struct buffer bodies[ATTEMPTS] = {BUFFER_EMPTY};
    char output[120];

    memset(tasks, 0, sizeof tasks);
    snprintf(output, sizeof output, "%s/output", root);
    unlink(output);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        wire_put_u32(&bodies[i], (uint32_t)i);
        tasks[i].body = buffer_slice(&bodies[i]);
        tasks[i].weight = 1 << 20; /* a batch of its own */
        tasks[i].output = attempts[i].run == fill_the_disk ? output : NULL;
    }
    assert_int_equal(pool_run(&pool, tasks, ATTEMPTS, &never), 0);
    unlink(output);
    for (size_t i = 0; i < ATTEMPTS; i++)
        buffer_release(&bodies[i]);
}

static const char *fault_of(const struct test *test, size_t i, enum end wanted)
{
    const char *problem = test->problem[i];

    if (!test->ended[i])
        return "it never ended";
    switch (wanted) {
    case WORKS:
        return test->framed[i] && test->reason[i] == DONE ? NULL : "it does not work";
    case REFUSED:
        return test->framed[i] && test->reason[i] != DONE ? NULL : "it is not refused";
    case FATAL:
        return strstr(problem, "what its sandbox forbids") ? NULL : "it does not end the worker";
    case SILENT:
        return strstr(problem, "nothing was heard") ? NULL : "the worker may go on";
    default:
        return strstr(problem, "signal 25") ? NULL : "the worker may go on";
    }
}

static bool has_landlock(void)
{
    return strstr(sandbox_description(), "landlock") != NULL;
}

static void check_all(const struct sandbox *sandbox, enum end (*wanted)(const struct attempt *a))
{
    struct test test = {.sandbox = sandbox};

    if (strncmp(sandbox_description(), "seccomp", 7) != 0)
        skip();
    run_all(&test);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        const char *fault = fault_of(&test, i, wanted(&attempts[i]));
        if (is_about_names(&attempts[i]) && sandbox->open_read_only && !has_landlock())
            continue;
        if (fault)
            fail_msg("%s: %s (errno %d, '%s')", attempts[i].name, fault, test.reason[i],
                     test.problem[i]);
    }
}

static enum end for_parser(const struct attempt *attempt)
{
    return attempt->parser;
}

static enum end for_folder(const struct attempt *attempt)
{
    return attempt->folder;
}

static enum end for_verifier(const struct attempt *attempt)
{
    return attempt->verifier;
}

static void a_worker_over_an_image_cannot_get_out(void **state)
{
    static const char *const none[] = {NULL};
    const struct sandbox sandbox = {.memory = MEMORY, .output = OUTPUT, .roots = none};
    (void)state;

    check_all(&sandbox, for_parser);
}

static void a_worker_over_a_folder_reads_that_folder_only(void **state)
{
    const char *const roots[] = {root, NULL};
    const struct sandbox sandbox = {
        .memory = MEMORY, .output = OUTPUT, .open_read_only = true, .roots = roots};
    (void)state;

    check_all(&sandbox, for_folder);
}

static void a_verifier_starts_threads_but_no_process(void **state)
{
    const char *const roots[] = {root, NULL};
    const struct sandbox sandbox = {.memory = MEMORY,
                                    .output = OUTPUT,
                                    .open_read_only = true,
                                    .threads = true,
                                    .roots = roots};
    (void)state;

    check_all(&sandbox, for_verifier);
}

static void what_it_inherited_is_untouched(void **state)
{
    struct stat status;
    (void)state;

    assert_int_equal(fstat(precious, &status), 0);
    assert_int_equal(status.st_size, 0);
    assert_int_equal(access(new_file, F_OK), -1);
    assert_int_equal(access(inside, F_OK), 0);
}

/* ---- the process of a helper program ---- */

/* The request names the attempt; what came of it is the answer. */
static int try(struct server *server, struct slice request)
{
    struct cursor in = cursor_over(request, 0);

    buffer_add_number(server_reply(server), (uint64_t)attempts[wire_get_u32(&in)].run());
    return 0;
}

static pid_t start_program(struct helper **helper)
{
    static const struct server_program program = {.answer = try, .memory = MEMORY};
    int data[2], control[2];

    assert_int_equal(channel_pair(data), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
    const pid_t process = fork();
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(data[0]);
        close(control[0]);
        _exit(server_run(&program, data[1], control[1]));
    }
    close(data[1]);
    close(control[1]);
    assert_int_equal(helper_over("test", data[0], control[0], helper), 0);
    return process;
}

static const char *helper_fault(struct helper *helper, const struct attempt *attempt)
{
    struct buffer body = BUFFER_EMPTY, answer = BUFFER_EMPTY;
    const char *fault = NULL;

    wire_put_u32(&body, (uint32_t)(attempt - attempts));
    const struct helper_request request = {
        .body = buffer_slice(&body), .answer = &answer, .seconds = 1};
    const int result = helper_ask(helper, &request);
    if (attempt->parser == REFUSED)
        fault = result == 0 && !slice_is(buffer_slice(&answer), "0") ? NULL : "it is not refused";
    else if (attempt->parser == FATAL)
        fault = result < 0 && strstr(error_text(), "signal 31") ? NULL : "it does not end it";
    else if (attempt->parser == SILENT)
        fault = result < 0 && strstr(error_text(), "in time") ? NULL : "it may go on";
    buffer_release(&body);
    buffer_release(&answer);
    return fault;
}

static void a_helper_program_cannot_get_out(void **state)
{
    struct helper *helper;
    (void)state;

    if (strncmp(sandbox_description(), "seccomp", 7) != 0)
        skip();
    const pid_t process = start_program(&helper);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        const char *fault =
            attempts[i].run == write_to_what_it_inherited || attempts[i].run == fill_the_disk
                ? NULL /* helper_start leaves it its two sockets only */
                : helper_fault(helper, &attempts[i]);
        if (fault)
            fail_msg("%s: %s: %s", attempts[i].name, fault, error_text());
    }
    helper_stop(helper);
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
}

/* ---- limits that need no kernel support ---- */

static void the_limit_of_memory_holds_alone(void **state)
{
    int status;
    (void)state;

    if (strncmp(sandbox_description(), "none", 4) == 0)
        skip();
    const pid_t process = fork();
    if (process == 0) {
        const struct sandbox sandbox = {.memory = MEMORY};
        _exit(sandbox_enter(&sandbox) == 0 && take_memory() == ENOMEM ? 0 : 1);
    }
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_int_equal(status, 0);
}

static int make_places(void **state)
{
    (void)state;
    parent = getpid();
    if (!mkdtemp(root))
        return -1;
    snprintf(inside, sizeof inside, "%s/inside", root);
    snprintf(new_file, sizeof new_file, "%s/new", root);
    snprintf(link_out, sizeof link_out, "%s/link", root);
    const int file = open(inside, O_CREAT | O_WRONLY, 0600);
    precious = fcntl(file, F_DUPFD, 50); /* as a case would be: no flag closes it on fork */
    close(file);
    return symlink("/etc/passwd", link_out);
}

static int remove_places(void **state)
{
    (void)state;
    unlink(inside);
    unlink(link_out);
    unlink(new_file);
    return rmdir(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_over_an_image_cannot_get_out),
        cmocka_unit_test(a_worker_over_a_folder_reads_that_folder_only),
        cmocka_unit_test(a_verifier_starts_threads_but_no_process),
        cmocka_unit_test(what_it_inherited_is_untouched),
        cmocka_unit_test(a_helper_program_cannot_get_out),
        cmocka_unit_test(the_limit_of_memory_holds_alone),
    };

    return cmocka_run_group_tests(tests, make_places, remove_places);
}
