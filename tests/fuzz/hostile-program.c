/* SPDX-License-Identifier: MIT */
#include "hostile-program.h"

#include <string.h>

#include "fuzz.h"
#include "identity.h"
#include "scene.h"

#define RULES_MAX   8
#define HISTORY_MAX 4
/* What one connection may hold, for all a peer can do: its windows and then some. */
#define MEMORY_MAX ((uint64_t)8 << 20)

struct record {
	uint8_t action;
	uint8_t a, b, c, d, e, f, g;
};

struct rule {
	struct record record;
	struct octets heap;
};

struct world {
	struct scene scene;
	struct octets heap; /* frames */
	struct rule messages[RULES_MAX];
	size_t message_count;
	struct record params[RULES_MAX];
	size_t param_count;
	struct octets history[HISTORY_MAX];
	unsigned int sent;
	bool begun;
};

static enum hostile_level level_of(uint8_t byte)
{
	return (enum hostile_level)(byte % HOSTILE_LEVELS);
}

/* The edges of what QUIC counts with, and what the peer knows. */
static uint64_t number_of(struct world *world, uint8_t selector, uint8_t value)
{
	struct hostile *peer = world->scene.peer;
	const struct hostile_space *space = &peer->spaces[HOSTILE_APP];
	uint64_t most = ((uint64_t)1 << 62) - 1;

	switch (selector % 16) {
	case 4:
		return (uint64_t)value << 8;
	case 5:
		return 62U + value % 4U;
	case 6:
		return 16382U + value % 4U;
	case 7:
		return ((uint64_t)1 << 30) - 2U + value % 4U;
	case 8:
		return ((uint64_t)1 << 60) - 2U + value % 4U;
	case 9:
		return most - value % 4U;
	case 10:
		return ((uint64_t)1 << 32) - 2U + value % 4U;
	case 11:
		return (space->largest + value - 128U) & most;
	case 12:
		return (space->next_number + value - 128U) & most;
	case 13:
		return (peer->stages[HOSTILE_APP].crypto.len + value - 128U) & most;
	case 14:
		return value * 1000U;
	case 15:
		return (peer->spaces[HOSTILE_HANDSHAKE].largest + value - 128U) & most;
	default:
		return value;
	}
}

/* ---- Frames -------------------------------------------------------------------------- */

static void add_bytes(struct octets *to, size_t len, uint8_t first)
{
	size_t i;

	for (i = 0; i < len; i++)
		octets_number(to, i == 0 ? first : i, 1);
}

static void add_ack(struct octets *to, uint64_t largest, uint64_t first,
		    const struct record *record)
{
	uint8_t i;

	FRAME(to, FRAME_ACK + (record->a >> 7), largest, record->e, record->g % 8U, first);
	for (i = 0; i < record->g % 8U; i++)
		FRAME(to, record->f % 16U, record->f / 16U);
	if (record->a >> 7)
		FRAME(to, record->e, record->f, record->g);
}

static void add_new_cid(struct octets *to, uint64_t number, uint64_t retire,
			const struct record *record)
{
	uint8_t cid[21];
	size_t len = record->g % 4 == 0 ? record->g / 4U % sizeof(cid) : 8;

	memset(cid, record->f != 0 ? record->f : (int)(number & 0xff), sizeof(cid));
	frame_new_cid(to, number, retire, cid, len);
}

/* Those of nothing but numbers. */
static size_t numbers_after(unsigned int kind)
{
	static const uint8_t counts[0x1f] = {
		[FRAME_RESET_STREAM] = 3,
		[FRAME_STOP_SENDING] = 2,
		[FRAME_MAX_DATA] = 1,
		[FRAME_MAX_STREAM_DATA] = 2,
		[FRAME_MAX_STREAMS_BIDI] = 1,
		[FRAME_MAX_STREAMS_UNI] = 1,
		[FRAME_DATA_BLOCKED] = 1,
		[FRAME_STREAM_DATA_BLOCKED] = 2,
		[FRAME_STREAMS_BLOCKED_BIDI] = 1,
		[FRAME_STREAMS_BLOCKED_UNI] = 1,
		[FRAME_RETIRE_CONNECTION_ID] = 1,
	};

	return counts[kind];
}

static void add_frame(struct world *world, const struct record *record)
{
	struct octets *to = &world->heap;
	uint64_t numbers[4] = {
		record->a & 0x1fU,
		number_of(world, record->b, record->c),
		number_of(world, record->b >> 4, record->d),
		number_of(world, record->e, record->f),
	};
	static const uint8_t path[2][8] = {"answer 1", "answer 2"};

	switch (record->a & 0x1fU) {
	case FRAME_PADDING:
		octets_zeros(to, record->g * 4U);
		break;
	case FRAME_ACK:
	case FRAME_ACK_ECN:
		add_ack(to, numbers[1], numbers[2], record);
		break;
	case FRAME_CRYPTO:
		FRAME(to, FRAME_CRYPTO, numbers[1], record->g);
		add_bytes(to, record->g, record->f);
		break;
	case FRAME_NEW_TOKEN:
		FRAME(to, FRAME_NEW_TOKEN, record->g);
		add_bytes(to, record->g, 1);
		break;
	case FRAME_NEW_CONNECTION_ID:
		add_new_cid(to, numbers[1], numbers[2], record);
		break;
	case FRAME_PATH_CHALLENGE:
	case FRAME_PATH_RESPONSE:
		frame_path(to, (enum frame_type)numbers[0], path[record->g % 2]);
		break;
	case FRAME_CLOSE:
	case FRAME_CLOSE_APPLICATION:
		frame_close(to, (enum frame_type)numbers[0], numbers[1]);
		break;
	case 0x1f: /* none there is */
		FRAME(to, numbers[1], numbers[2]);
		break;
	default:
		if (numbers[0] >= FRAME_STREAM && numbers[0] < FRAME_MAX_DATA) {
			FRAME(to, numbers[0] | 6U, numbers[1], numbers[2], record->g * 4U);
			add_bytes(to, record->g * 4U, 0);
			break;
		}
		frame_numbers(to, numbers, 1 + numbers_after(record->a & 0x1fU));
		break;
	}
}

/* ---- Lies ------------------------------------------------------------------------------ */

static struct hostile_lie lie_of(const struct record *record)
{
	struct hostile_lie lie = {
		.reserved = record->b & 3U,
		.number_len = record->c % 8 < 5 ? record->c % 8U : 0,
		.no_fixed_bit = (record->b & 4) != 0,
		.other_phase = (record->b & 8) != 0,
		.spoilt = (record->b & 16) != 0,
		.other_destination = (record->b & 32) != 0,
		.type_bits = record->b >> 6,
		.number_step = (int8_t)record->d * (record->e % 4 == 1 ? 1000 : 1),
		.version = record->e % 8 == 7 ? record->f : 0,
		.length_step = record->e % 8 == 6 ? (int8_t)record->f : 0,
	};

	return lie;
}

static void apply_message_rule(struct hostile *peer, const struct rule *rule,
			       struct octets *message)
{
	const struct record *record = &rule->record;
	uint16_t extension = record->c == 0 ? 0x39 : (uint16_t)record->c;
	uint8_t bytes[64];

	memset(bytes, record->e, sizeof(bytes));
	switch (record->b % 12) {
	case 0:
		message_remove_extension(message, extension);
		break;
	case 1:
		message_rename_extension(message, extension,
					 (uint16_t)(record->d << 8 | record->e));
		break;
	case 2:
		message_add_extension(message, extension, bytes, record->d % sizeof(bytes));
		break;
	case 3:
		if (message->len > 0)
			message->data[(size_t)(record->c << 8 | record->d) % message->len] =
				record->e;
		break;
	case 4:
		message->len = 0;
		break;
	case 5:
		octets_put(message, message->data, message->len / 2 < 2000 ? message->len : 0);
		break;
	case 6:
		if (message->len > record->d)
			octets_cut(message, message->len - record->d, record->d);
		break;
	case 7: /* another message before, or behind */
		bytes[0] = record->c;
		bytes[1] = bytes[2] = 0;
		bytes[3] = record->d % 32;
		octets_insert(message, record->e % 2 == 0 ? 0 : message->len, bytes,
			      4U + record->d % 32U);
		break;
	case 8: /* frames together with it */
		hostile_queue(peer, HOSTILE_APP, &rule->heap);
		break;
	case 9:
		hostile_queue(peer, HOSTILE_HANDSHAKE, &rule->heap);
		break;
	case 10:
		hostile_queue(peer, HOSTILE_INITIAL, &rule->heap);
		break;
	default: /* frames at once, before it */
		hostile_packet(peer, level_of(record->c), &rule->heap, NULL);
		hostile_send(peer);
		break;
	}
}

static void on_message(struct hostile *peer, enum hostile_level level, struct octets *message)
{
	const struct world *world = peer->user;
	size_t i;

	(void)level;
	for (i = 0; i < world->message_count; i++)
		if (message->len > 0 && (world->messages[i].record.a == 0 ||
					 message->data[0] == world->messages[i].record.a))
			apply_message_rule(peer, &world->messages[i], message);
}

static void on_params(struct hostile *peer, struct octets *params)
{
	struct world *world = peer->user;
	size_t i;

	for (i = 0; i < world->param_count; i++) {
		const struct record *record = &world->params[i];
		uint64_t id = number_of(world, record->b, record->c);
		uint8_t bytes[64];

		memset(bytes, record->f, sizeof(bytes));
		if (record->a % 4 != 3)
			params_remove(params, id);
		if (record->a % 4 == 1)
			params_put(params, id, bytes, record->e % sizeof(bytes));
		if (record->a % 4 >= 2)
			params_number(params, id, number_of(world, record->d, record->e));
	}
}

static void set_habit(struct hostile *peer, uint8_t which, bool on)
{
	bool *const habits[] = {
		&peer->mute,  &peer->no_acks,   &peer->no_crypto,    &peer->no_done,
		&peer->split, &peer->app_first, &peer->no_responses,
	};

	*habits[which % (sizeof(habits) / sizeof(habits[0]))] = on;
}

/* ---- Actions ------------------------------------------------------------------------------ */

static void begin(struct world *world)
{
	if (world->begun)
		return;
	world->begun = true;
	scene_begin(&world->scene);
}

static bool is_done(void *argument)
{
	const struct scene *scene = argument;

	return scene->peer->complete || scene->peer->closed || scene->end.told > 0;
}

static void connect_it(struct world *world)
{
	(void)sim_until(world->scene.sim, is_done, &world->scene, 2 * SIM_SECOND);
	sim_run(world->scene.sim, 50 * SIM_MS);
}

static void set_setting(struct scene *scene, const struct record *record)
{
	struct mquic_settings *settings = scene->settings;

	switch (record->a % 9) {
	case 0:
		if (scene->attacks_server)
			(void)mquic_settings_set_retry(settings, MQUIC_RETRY_ALWAYS);
		scene->peer->demand_retry = !scene->attacks_server;
		if (record->b > 0)
			scene->peer->token_len = record->b * 8U;
		break;
	case 1:
		scene->peer->hello_retry = true;
		break;
	case 2:
		if (scene->attacks_server)
			(void)mquic_settings_set_ca_file(settings, identity_certificate());
		break;
	case 3:
		(void)mquic_settings_set_max_streams(settings, 1 + record->b % 4U);
		break;
	case 4:
		(void)mquic_settings_set_keep_alive_ms(settings, 1000U + record->b);
		break;
	case 5:
		scene->peer->no_params = true;
		break;
	case 6:
		scene->peer->alpn = record->b % 2 == 0 ? NULL : "dummy";
		break;
	case 7:
		scene->peer->own_len = record->b % 21U;
		break;
	default:
		(void)mquic_settings_set_congestion_control(settings, MQUIC_CONGESTION_BBR);
		break;
	}
}

static void run_program(struct scene *scene, const struct record *record)
{
	if (record->a % 8 < 3)
		scene_speak(scene, record->b * 16U + 1U);
	if (record->a % 8 == 7 && scene->connection != NULL)
		(void)mquic_connection_close(scene->connection, record->b, "enough");
	if (record->a % 16 == 14)
		scene->lazy = record->b % 2 == 1;
	if (scene->stream == NULL)
		return;
	if (record->a % 16 == 6) {
		mquic_stream_free(scene->stream);
		scene->stream = NULL;
		return;
	}
	if (record->a % 8 == 3 || record->a % 8 == 1)
		(void)mquic_stream_finish(scene->stream);
	if (record->a % 8 == 4)
		(void)mquic_stream_reset(scene->stream, record->b);
	if (record->a % 8 == 5)
		(void)mquic_stream_stop(scene->stream, record->b);
}

static void move(struct world *world, const struct record *record)
{
	struct scene *scene = &world->scene;

	if (record->a % 4 == 0)
		sim_rebind(scene->peer->probe);
	else if (record->a % 4 == 1)
		hostile_use_new_cid(scene->peer);
	else if (record->a % 4 == 2 && !scene->attacks_server)
		sim_move(scene->host, 20U + record->b % 8U, record->b >= 128);
	else if (!scene->attacks_server)
		sim_rebind(scene->host);
}

static void send_special(struct hostile *peer, const struct record *record)
{
	struct octets packet = {.len = 0};

	if (record->a % 3 == 0) {
		hostile_send_retry(peer);
		return;
	}
	octets_number(&packet, record->a % 3 == 1 ? 0xc0U | record->b : 0x40U | record->b % 64U, 1);
	if (record->a % 3 == 1) {
		octets_number(&packet, 0, 4);
		octets_number(&packet, peer->destination_len, 1);
		octets_put(&packet, peer->destination, peer->destination_len);
		octets_number(&packet, peer->original_len, 1);
		octets_put(&packet, peer->original, peer->original_len);
		octets_number(&packet, record->c, 4);
	} else {
		add_bytes(&packet, 8U + record->b, record->c);
		octets_put(&packet, "reset token here", 16);
	}
	hostile_send_raw(peer, packet.data, packet.len);
}

static void replay(struct world *world, const struct record *record)
{
	struct octets copy = world->history[record->d % HISTORY_MAX];

	if (record->a % 2 == 1 && copy.len > 0)
		copy.data[record->b % copy.len] = record->c;
	hostile_send_raw(world->scene.peer, copy.data, copy.len);
}

static void remember(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct world *world = user;
	struct octets *slot = &world->history[world->sent % HISTORY_MAX];

	if (from != world->scene.peer->probe || datagram->len > OCTETS_SIZE)
		return;
	world->sent++;
	slot->len = 0;
	octets_put(slot, datagram->data, datagram->len);
}

static void say_tls(struct hostile *peer, const struct record *record)
{
	uint8_t message[4 + 255] = {record->b, 0, 0, record->c};

	message[1] = record->d % 8 == 1;
	memset(message + 4, record->e, record->c);
	hostile_say_tls(peer, level_of(record->a), message, 4U + record->c);
	hostile_flush(peer);
}

/* What can be done before the handshake begins. */
static bool prepare(struct world *world, const struct record *record)
{
	struct rule *rule = &world->messages[world->message_count % RULES_MAX];

	switch (record->action % ACTIONS) {
	case ACTION_FRAME:
		add_frame(world, record);
		return true;
	case ACTION_HABIT:
		set_habit(world->scene.peer, record->a, record->b % 2 == 1);
		return true;
	case ACTION_LIE:
		world->scene.peer->lies[level_of(record->a)] = lie_of(record);
		return true;
	case ACTION_MESSAGE:
		if (world->message_count == RULES_MAX)
			return true;
		world->message_count++;
		rule->record = *record;
		rule->heap = world->heap;
		world->heap.len = 0;
		return true;
	case ACTION_PARAM:
		if (world->param_count < RULES_MAX)
			world->params[world->param_count++] = *record;
		return true;
	case ACTION_SETTING:
		if (!world->begun)
			set_setting(&world->scene, record);
		return true;
	default:
		return false;
	}
}

static void act(struct world *world, const struct record *record)
{
	struct hostile *peer = world->scene.peer;
	struct hostile_lie lie;

	switch (record->action % ACTIONS) {
	case ACTION_QUEUE:
		hostile_queue(peer, level_of(record->a), &world->heap);
		world->heap.len = 0;
		break;
	case ACTION_PACKET:
		lie = lie_of(record);
		hostile_packet(peer, level_of(record->a), &world->heap, &lie);
		world->heap.len = 0;
		break;
	case ACTION_SEND:
		hostile_send(peer);
		break;
	case ACTION_FLUSH:
		hostile_flush(peer);
		break;
	case ACTION_TIME:
		sim_run(world->scene.sim, (uint64_t)record->a * record->b * SIM_MS);
		break;
	case ACTION_TLS:
		say_tls(peer, record);
		break;
	case ACTION_KEYS:
		hostile_update_keys(peer);
		break;
	case ACTION_MOVE:
		move(world, record);
		break;
	case ACTION_PROGRAM:
		run_program(&world->scene, record);
		break;
	case ACTION_RESEND:
		hostile_resend(peer, level_of(record->a));
		break;
	case ACTION_SPECIAL:
		send_special(peer, record);
		break;
	case ACTION_REPLAY:
		replay(world, record);
		break;
	case ACTION_CONNECT:
		connect_it(world);
		break;
	case ACTION_LINE:
		world->scene.host->up.loss = record->a % 2 == 0 ? 0 : 1000;
		break;
	default:
		break;
	}
	sim_settle(world->scene.sim);
}

static void check_memory(const struct world *world)
{
	const struct mquic_connection *connection = world->scene.connection;

	if (connection != NULL)
		MUST(mquic_connection_statistic(connection, MQUIC_STATISTIC_MEMORY) < MEMORY_MAX);
}

void hostile_program_run(bool attacks_server, const uint8_t *data, size_t size)
{
	static struct world world;
	struct record record;
	size_t i;

	memset(&world, 0, sizeof(world));
	scene_open(&world.scene, attacks_server, 1);
	world.scene.peer->user = &world;
	world.scene.peer->on_message = on_message;
	world.scene.peer->on_params = on_params;
	sim_set_tap(world.scene.sim, remember, &world);
	for (i = 0; i < RECORDS_MAX && (i + 1) * RECORD_SIZE <= size; i++) {
		memcpy(&record, data + i * RECORD_SIZE, RECORD_SIZE);
		if (prepare(&world, &record))
			continue;
		begin(&world);
		act(&world, &record);
	}
	begin(&world);
	sim_run(world.scene.sim, 100 * SIM_MS);
	check_memory(&world);
	/* Whatever came: in the end the endpoint has forgotten it all. */
	MUST(scene_close(&world.scene));
}
