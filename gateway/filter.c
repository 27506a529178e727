/* SPDX-License-Identifier: MIT */
/*
 * The list is what serves clients, what the C library, GnuTLS and the sanitizers of test builds need
 * for that, and the end. Calls outside it answer ENOSYS, as in a kernel that does not have them: a
 * C library newer than this list has another way then. What nothing of ours ever does, and what a
 * program that was taken over does first, ends the process instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "filter.h"

#define CALL(name) SCMP_SYS(name)
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

static const int allowed[] = {
	/* waiting and time */
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(epoll_pwait2),
	CALL(epoll_ctl),
	CALL(epoll_create1),
	CALL(poll),
	CALL(ppoll),
	CALL(timerfd_create),
	CALL(timerfd_settime),
	CALL(timerfd_gettime),
	CALL(eventfd2),
	CALL(clock_gettime),
	CALL(clock_getres),
	CALL(clock_nanosleep),
	CALL(nanosleep),
	CALL(gettimeofday),
	CALL(time),
	CALL(alarm),
	CALL(setitimer),
	/* sockets that are there, and new ones to the broker */
	CALL(connect),
	CALL(shutdown),
	CALL(getsockname),
	CALL(getpeername),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(sendto),
	CALL(sendmsg),
	CALL(sendmmsg),
	CALL(recvfrom),
	CALL(recvmsg),
	CALL(recvmmsg),
	/* files, to read certificates and keys again */
	CALL(read),
	CALL(readv),
	CALL(pread64),
	CALL(write),
	CALL(writev),
	CALL(lseek),
	CALL(_llseek),
	CALL(close),
	CALL(fstat),
	CALL(fstat64),
	CALL(stat),
	CALL(stat64),
	CALL(lstat),
	CALL(lstat64),
	CALL(newfstatat),
	CALL(fstatat64),
	CALL(statx),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(readlink),
	CALL(readlinkat),
	CALL(getdents64),
	CALL(dup),
	CALL(getcwd),
	/* memory */
	CALL(brk),
	CALL(mmap),
	CALL(mmap2),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	CALL(mprotect),
	CALL(getrandom),
	CALL(futex),
	CALL(sched_yield),
	CALL(sched_getaffinity),
	CALL(membarrier),
	CALL(rseq),
	CALL(set_robust_list),
	CALL(sysinfo),
	CALL(uname),
	/* itself */
	CALL(getpid),
	CALL(getppid),
	CALL(gettid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(getrusage),
	CALL(getrlimit),
	CALL(ugetrlimit),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigreturn),
	CALL(sigaltstack),
	CALL(restart_syscall),
	CALL(exit),
	CALL(exit_group),
};

static const int deadly[] = {
	CALL(execve),
	CALL(execveat),
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(bpf),
	CALL(init_module),
	CALL(finit_module),
	CALL(kexec_load),
	CALL(mount),
	CALL(unshare),
	CALL(setns),
	CALL(keyctl),
	CALL(add_key),
	CALL(userfaultfd),
	CALL(io_uring_setup),
	CALL(perf_event_open),
};

static int allow_calls(scmp_filter_ctx filter)
{
	int status = 0;
	size_t i;

	for (i = 0; i < COUNT(allowed) && status == 0; i++)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (i = 0; i < COUNT(deadly) && status == 0; i++)
		status = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	return status;
}

/* The one family that leads nowhere but to this machine. */
static int allow_sockets(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(socket), 1,
				SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
}

/* Its own limits, which it cannot raise. */
static int allow_limits(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(prlimit64), 1,
				SCMP_A0(SCMP_CMP_EQ, 0, 0));
}

/* abort() sends a signal; to the broker, of the same user, none may go. */
static int allow_signals(scmp_filter_ctx filter, pid_t self)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(tgkill), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)self, 0));
}

/*
 * What is asked of a descriptor. With F_SETOWN and F_SETSIG, or FIOSETOWN, it would send any signal
 * to any process of this user, and kill the broker.
 */
static int allow_control(scmp_filter_ctx filter)
{
	static const unsigned int commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,
						F_SETFD, F_GETFL,         F_SETFL};
	static const unsigned int requests[] = {TCGETS, TIOCGWINSZ}; /* is it a terminal? */
	int status = 0;
	size_t i;

	for (i = 0; i < COUNT(commands) && status == 0; i++) {
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(fcntl), 1,
					  SCMP_A1(SCMP_CMP_EQ, commands[i], 0));
		if (status == 0)
			status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(fcntl64), 1,
						  SCMP_A1(SCMP_CMP_EQ, commands[i], 0));
	}
	for (i = 0; i < COUNT(requests) && status == 0; i++)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1,
					  SCMP_A1(SCMP_CMP_EQ, requests[i], 0));
	return status;
}

/* One call that opens files, whose flags are this argument: all of it, or reading alone. */
static int allow_open(scmp_filter_ctx filter, int call, unsigned int flags, bool writes)
{
	const scmp_datum_t making = O_CREAT | O_TRUNC | O_ACCMODE;
	int status;

	if (writes)
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
	status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
				  SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, making, O_RDONLY));
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), call, 1,
					  SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_WRONLY));
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), call, 1,
					  SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDWR));
	return status;
}

static int allow_files(scmp_filter_ctx filter, bool writes)
{
	int status = allow_open(filter, CALL(open), 1, writes);

	return status == 0 ? allow_open(filter, CALL(openat), 2, writes) : status;
}

bool filter_load(pid_t self, bool writes_files)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int status = filter == NULL ? -ENOMEM : 0;

	if (status == 0)
		status = allow_calls(filter);
	if (status == 0)
		status = allow_sockets(filter);
	if (status == 0)
		status = allow_limits(filter);
	if (status == 0)
		status = allow_signals(filter, self);
	if (status == 0)
		status = allow_control(filter);
	if (status == 0)
		status = allow_files(filter, writes_files);
	if (status == 0)
		status = seccomp_load(filter);
	seccomp_release(filter);
	errno = -status;
	return status == 0;
}

bool filter_is_built(void)
{
	return true;
}
