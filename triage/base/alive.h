/* A long loop of a lower layer says that it goes on, so that whoever watches the process does not
 * take its silence for a hang. One watcher per thread. */
#ifndef TRIAGE_BASE_ALIVE_H
#define TRIAGE_BASE_ALIVE_H

/* `hear` is called, with `context`, whenever this thread says that it goes on; NULL: by nobody. */
void alive_watch(void (*hear)(void *context), void *context);

/* For loops that read much before they give anything; cheap beside a system call. */
void alive_tell(void);

#endif
