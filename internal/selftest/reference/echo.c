/*
 * The work of the echo workload in C: produce a request, send it behind a
 * header, receive and consume it, and the same for the reply, between two
 * processes bound to a CPU each. What the harness adds to a transport is the
 * difference between its figure and this program's.
 *
 * usage: reference pipe|unix BYTES BUFFER CLIENT_CPU SERVER_CPU ROUNDS MS
 * BUFFER is the pipe's or the socket's buffer size in bytes, 0 for the
 * system's. Prints the p50 of each round in nanoseconds, one a line.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* HEADER and the two socket pairs are as the harness has them. */
enum { HEADER = 64, LINE = 64, PAGE = 4096, SAMPLES = 1 << 20 };

struct header { uint32_t length, flags; uint64_t sequence; };

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* A buffer whose payload starts on a page, behind room for the header. */
static unsigned char *payload_buffer(size_t n)
{
	unsigned char *p = mmap(NULL, PAGE + n + 1, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	return p + PAGE;
}

static void produce(unsigned char *p, size_t n, uint64_t stamp)
{
	for (; n >= LINE; p += LINE, n -= LINE)
		memcpy(p, &stamp, sizeof stamp);
	if (n >= sizeof stamp)
		memcpy(p, &stamp, sizeof stamp);
}

static int consume(const unsigned char *p, size_t n, uint64_t stamp)
{
	uint64_t differ = 0, seen;
	for (; n >= LINE; p += LINE, n -= LINE) {
		memcpy(&seen, p, sizeof seen);
		differ |= seen ^ stamp;
	}
	if (n >= sizeof seen) {
		memcpy(&seen, p, sizeof seen);
		differ |= seen ^ stamp;
	}
	return differ == 0;
}

static void send_message(int fd, unsigned char *payload, size_t n, uint64_t sequence)
{
	struct header h = { .length = n, .sequence = sequence };
	unsigned char *p = payload - HEADER;
	size_t left = HEADER + n;

	memcpy(p, &h, sizeof h);
	while (left > 0) {
		ssize_t done = write(fd, p, left);
		if (done < 0)
			die("write");
		p += done;
		left -= done;
	}
}

/* Returns 0 at the end of the line. */
static int receive_message(int fd, unsigned char *payload, size_t n)
{
	unsigned char *p = payload - HEADER;
	size_t have = 0;
	struct header h;

	while (have < HEADER + n) {
		ssize_t done = read(fd, p + have, HEADER + n - have);
		if (done < 0)
			die("read");
		if (done == 0)
			return 0;
		have += done;
	}
	memcpy(&h, p, sizeof h);
	return h.length == n;
}

static void bind_to(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		die("sched_setaffinity");
}

static void serve(int in, int out, size_t n, int cpu)
{
	unsigned char *request = payload_buffer(n), *reply = payload_buffer(n);
	uint64_t stamp = 0;

	bind_to(cpu);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (receive_message(in, request, n)) {
		memcpy(&stamp, request, n < 8 ? n : 8);
		if (!consume(request, n, stamp))
			exit(3);
		produce(reply, n, stamp);
		send_message(out, reply, n, 0);
	}
	exit(0);
}

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static uint64_t samples[SAMPLES];

/* One round, after a warm-up of a fifth of it. Returns its median. */
static uint64_t round_p50(int in, int out, unsigned char *request, unsigned char *reply,
			  size_t n, uint64_t ns)
{
	static uint64_t stamp;
	uint64_t warm = now() + ns / 5, until = warm + ns, start;
	size_t count = 0;

	while ((start = now()) < until && count < SAMPLES) {
		stamp++;
		produce(request, n, stamp);
		send_message(out, request, n, stamp);
		if (!receive_message(in, reply, n) || !consume(reply, n, stamp))
			exit(3);
		if (start >= warm)
			samples[count++] = now() - start;
	}
	qsort(samples, count, sizeof samples[0], ascending);
	return count ? samples[count / 2] : 0;
}

static void open_channel(const char *kind, int buffer, int up[2], int down[2])
{
	if (!strcmp(kind, "pipe")) {
		if (pipe(up) || pipe(down))
			die("pipe");
		if (buffer && (fcntl(up[1], F_SETPIPE_SZ, buffer) < 0 || fcntl(down[1], F_SETPIPE_SZ, buffer) < 0))
			die("F_SETPIPE_SZ");
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, up) || socketpair(AF_UNIX, SOCK_STREAM, 0, down))
		die("socketpair");
	if (buffer && (setsockopt(up[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) ||
		       setsockopt(down[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer)))
		die("SO_SNDBUF");
}

int main(int argc, char **argv)
{
	if (argc != 8) {
		fprintf(stderr, "usage: %s pipe|unix BYTES BUFFER CLIENT_CPU SERVER_CPU ROUNDS MS\n", argv[0]);
		return 2;
	}
	size_t n = strtoul(argv[2], NULL, 10);
	int rounds = atoi(argv[6]), up[2], down[2];
	uint64_t ns = strtoull(argv[7], NULL, 10) * 1000000;

	open_channel(argv[1], atoi(argv[3]), up, down);
	pid_t server = fork();
	if (server < 0)
		die("fork");
	if (server == 0) {
		close(up[1]);
		close(down[0]);
		serve(up[0], down[1], n, atoi(argv[5]));
	}
	close(up[0]);
	close(down[1]);
	bind_to(atoi(argv[4]));
	unsigned char *request = payload_buffer(n), *reply = payload_buffer(n);
	for (int i = 0; i < rounds; i++)
		printf("%llu\n", (unsigned long long)round_p50(down[0], up[1], request, reply, n, ns));
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}
