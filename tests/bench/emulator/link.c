/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <string.h>

/* A TUN packet has no Ethernet header, which Mininet's HTB counts. */
#define FRAME_BYTES 14

enum purpose {
	PURPOSE_LOSS = 1,
	PURPOSE_BURST,
	PURPOSE_JITTER,
	PURPOSE_REORDER
};

static uint64_t scramble(uint64_t x)
{
	x += 0x9e3779b97f4a7c15U;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
	return x ^ (x >> 31);
}

double link_chance(uint64_t seed, uint32_t id, uint32_t purpose, uint64_t number)
{
	uint64_t x = scramble(scramble(scramble(seed) ^ id) ^ purpose);

	return (double)(scramble(x ^ number) >> 11) * 0x1p-53;
}

void link_params_init(struct link_params *params)
{
	memset(params, 0, sizeof(*params));
	params->queue_packets = 1000;
	params->bucket_bytes = 15000;
}

static bool set_chance(double *place, double value)
{
	if (value > 1)
		return false;
	*place = value;
	return true;
}

bool link_params_set(struct link_params *params, const char *name, double value)
{
	if (!(value >= 0) || value > 1e12)
		return false;
	if (strcmp(name, "rate_bps") == 0)
		params->rate_bps = value;
	else if (strcmp(name, "delay_ms") == 0)
		params->delay_ns = (uint64_t)(value * 1e6);
	else if (strcmp(name, "jitter_ms") == 0)
		params->jitter_ns = (uint64_t)(value * 1e6);
	else if (strcmp(name, "loss") == 0)
		return set_chance(&params->loss, value);
	else if (strcmp(name, "burst_enter") == 0)
		return set_chance(&params->burst_enter, value);
	else if (strcmp(name, "burst_leave") == 0)
		return set_chance(&params->burst_leave, value);
	else if (strcmp(name, "burst_loss") == 0)
		return set_chance(&params->burst_loss, value);
	else if (strcmp(name, "reorder") == 0)
		return set_chance(&params->reorder, value);
	else if (strcmp(name, "queue") == 0 && value >= 1 && value <= 1e6)
		params->queue_packets = (uint32_t)value;
	else if (strcmp(name, "bucket") == 0 && value <= 1e9)
		params->bucket_bytes = (uint32_t)value;
	else
		return false;
	return true;
}

void link_half_reset(struct link_half *half, uint64_t seed, uint32_t id)
{
	memset(half, 0, sizeof(*half));
	half->seed = seed;
	half->id = id;
}

static double chance(const struct link_half *half, enum purpose purpose)
{
	return link_chance(half->seed, half->id, purpose, half->number);
}

/* Gilbert-Elliott: first the step between the states, then the loss of the state. */
static bool is_lost(struct link_half *half, const struct link_params *params)
{
	double step = half->bad ? params->burst_leave : params->burst_enter;

	if (step > 0 && chance(half, PURPOSE_BURST) < step)
		half->bad = !half->bad;
	return chance(half, PURPOSE_LOSS) < (half->bad ? params->burst_loss : params->loss);
}

static uint64_t delayed(struct link_half *half, const struct link_params *params, uint64_t now_ns)
{
	double spread;
	uint64_t ready;

	if (params->reorder > 0 && chance(half, PURPOSE_REORDER) < params->reorder)
		return now_ns;
	spread = (double)params->jitter_ns * (2 * chance(half, PURPOSE_JITTER) - 1);
	if (spread < -(double)params->delay_ns)
		spread = -(double)params->delay_ns;
	ready = (uint64_t)((double)(now_ns + params->delay_ns) + spread);
	if (params->jitter_ns == 0)
		ready = now_ns + params->delay_ns;
	if (ready < half->last_ready_ns)
		ready = half->last_ready_ns;
	half->last_ready_ns = ready;
	return ready;
}

/* Token bucket: a packet leaves as soon as the bucket is not empty, and may overdraw it. */
static uint64_t shaped(struct link_half *half, const struct link_params *params, uint64_t ready_ns,
		       size_t bytes)
{
	uint64_t bucket_ns;
	uint64_t start = ready_ns;

	if (params->rate_bps <= 0)
		return ready_ns;
	bucket_ns = (uint64_t)(params->bucket_bytes * 8e9 / params->rate_bps);
	if (half->free_at_ns > bucket_ns && half->free_at_ns - bucket_ns > start)
		start = half->free_at_ns - bucket_ns;
	if (half->free_at_ns < start)
		half->free_at_ns = start;
	half->free_at_ns += (uint64_t)((double)(bytes + FRAME_BYTES) * 8e9 / params->rate_bps);
	return start;
}

enum link_verdict link_offer(struct link_half *half, const struct link_params *params, bool up,
			     uint64_t now_ns, size_t bytes, uint64_t *due_ns)
{
	half->number++;
	if (!up) {
		half->down++;
		return LINK_DOWN;
	}
	if (is_lost(half, params)) {
		half->lost++;
		return LINK_LOST;
	}
	if (half->queued >= params->queue_packets) {
		half->full++;
		return LINK_FULL;
	}
	half->queued++;
	half->passed++;
	*due_ns = shaped(half, params, delayed(half, params, now_ns), bytes);
	return LINK_PASS;
}

void link_leave(struct link_half *half)
{
	half->queued--;
}
