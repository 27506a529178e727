/* SPDX-License-Identifier: MIT */
/* What a worker can still do in its sandbox, and what it cannot. Each tries it in a child. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

static const char *const files[] = {"/etc/ssl/nothing-of-that-name"};
static const struct sandbox closed = {.strict = true, .realm = {.read = files, .count = 1}};

/* How a child ends that does this in a sandbox; its exit status is errno. */
static int try(const struct sandbox *sandbox, int (*does)(void))
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (!sandbox_enter(sandbox))
			_exit(255);
		errno = 0;
		_exit(does() < 0 ? errno : 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

static void expect_errno(int (*does)(void), int expected)
{
	int status = try(&closed, does);

	ck_assert_msg(WIFEXITED(status), "signal %d", WTERMSIG(status));
	ck_assert_int_eq(WEXITSTATUS(status), expected);
}

static void expect_death(int (*does)(void))
{
	int status = try(&closed, does);

	ck_assert_msg(WIFSIGNALED(status), "exit status %d", WEXITSTATUS(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSYS);
}

static int run_a_program(void)
{
	static char name[] = "/bin/true";
	char *const arguments[] = {name, NULL};

	return execv(name, arguments);
}

static int trace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

START_TEST(what_an_intruder_does_first_ends_the_process)
{
	expect_death(run_a_program);
	expect_death(trace);
}
END_TEST

static int make_a_process(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child;
}

static int make_a_tcp_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int listen_on_a_path(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/tmp/mquic-no-socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return bind(fd, (const struct sockaddr *)&address, sizeof(address));
}

static int end_another(void)
{
	return kill(getppid(), 0);
}

START_TEST(other_calls_are_not_there)
{
	expect_errno(make_a_process, ENOSYS);
	expect_errno(make_a_tcp_socket, ENOSYS);
	expect_errno(listen_on_a_path, ENOSYS);
	expect_errno(end_another, ENOSYS);
}
END_TEST

static int end_its_threads(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int own_by_another(void)
{
	return fcntl(STDIN_FILENO, F_SETOWN, getppid());
}

static int choose_a_signal(void)
{
	return fcntl(STDIN_FILENO, F_SETSIG, SIGKILL);
}

static int own_by_request(void)
{
	int owner = getppid();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return ioctl(fd, FIOSETOWN, &owner);
}

START_TEST(no_signal_reaches_another_process)
{
	expect_errno(end_its_threads, ENOSYS);
	expect_errno(own_by_another, ENOSYS);
	expect_errno(choose_a_signal, ENOSYS);
	expect_errno(own_by_request, ENOSYS);
}
END_TEST

static int give_up(void)
{
	abort();
}

START_TEST(it_can_end_itself)
{
	int status = try(&closed, give_up);

	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}
END_TEST

static int write_a_file(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static int make_a_file(void)
{
	return open("/tmp/mquic-no-file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static int remove_a_file(void)
{
	return unlink("/tmp/mquic-no-file");
}

START_TEST(no_file_is_written)
{
	static const struct sandbox writing = {
		.strict = true,
		.realm = {.written = "/dev/null"},
	};

	expect_errno(write_a_file, EACCES);
	expect_errno(make_a_file, EACCES);
	expect_errno(remove_a_file, ENOSYS);
	ck_assert_int_eq(try(&writing, write_a_file), 0);
}
END_TEST

static int read_one(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || read(fd, &byte, 1) != 1 ? -1 : close(fd);
}

static int read_a_neighbour(void)
{
	return read_one("/etc/ssl/openssl.cnf");
}

static int read_a_library(void)
{
	return read_one("/usr/bin/env");
}

static int read_itself(void)
{
	return read_one("/proc/self/maps");
}

static int read_another_file(void)
{
	return read_one("/etc/passwd");
}

static int list_another_directory(void)
{
	return open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int read_the_broker(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
	return open(path, O_RDONLY | O_CLOEXEC);
}

START_TEST(no_file_is_read_but_those_of_its_realm)
{
	expect_errno(read_a_neighbour, 0);
	expect_errno(read_a_library, 0);
	expect_errno(read_itself, 0);
	if (!realm_exists()) {
		puts("# this system has no Landlock");
		return;
	}
	expect_errno(read_another_file, EACCES);
	expect_errno(list_another_directory, EACCES);
	expect_errno(read_the_broker, EACCES);
}
END_TEST

/* Files are replaced by links to newer ones, as certbot does. */
START_TEST(what_a_link_leads_to_is_read)
{
	char name[] = "/tmp/mquic-realm-XXXXXX";
	char link[64];
	const char *const links[] = {link};
	const struct sandbox sandbox = {.strict = true, .realm = {.read = links, .count = 1}};

	ck_assert_ptr_nonnull(mkdtemp(name));
	snprintf(link, sizeof(link), "%s/link", name);
	ck_assert_int_eq(symlink("/etc/ssl/openssl.cnf", link), 0);
	ck_assert_int_eq(try(&sandbox, read_a_neighbour), 0);
	unlink(link);
	rmdir(name);
}
END_TEST

static int use_memory(void)
{
	size_t i;

	for (i = 0; i < 100; i++) {
		char *block = malloc(1 << i % 24);

		if (block == NULL)
			return -1;
		memset(block, 1, 1 << i % 24);
		free(block);
	}
	return 0;
}

static int draw_numbers(void)
{
	char bytes[16];

	return getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes) ? 0 : -1;
}

static int dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/nowhere"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
			       errno == ENOENT
		       ? 0
		       : -1;
}

START_TEST(what_serves_clients_is_allowed)
{
	expect_errno(read_a_library, 0);
	expect_errno(use_memory, 0);
	expect_errno(draw_numbers, 0);
	expect_errno(dial, 0);
}
END_TEST

static int leave_a_core(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 ? 0 : -1;
}

START_TEST(no_core_is_left)
{
	expect_errno(leave_a_core, 0);
}
END_TEST

START_TEST(it_can_be_left_open)
{
	static const struct sandbox open_wide = {.strict = false};

	ck_assert_int_eq(try(&open_wide, make_a_tcp_socket), 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&what_an_intruder_does_first_ends_the_process,
		&other_calls_are_not_there,
		&no_signal_reaches_another_process,
		&it_can_end_itself,
		&no_file_is_written,
		&no_file_is_read_but_those_of_its_realm,
		&what_a_link_leads_to_is_read,
		&what_serves_clients_is_allowed,
		&no_core_is_left,
		&it_can_be_left_open,
	};

	if (!sandbox_can_filter()) {
		puts("1..0 # SKIP this build has no libseccomp");
		return 0;
	}
	return unit_run("gateway-sandbox", NULL, NULL, tests, COUNT(tests));
}
