/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "counters.h"

/* Another one with each change of the table. */
#define VERSION 3

const struct counter_row counter_rows[COUNTERS] = {
	[COUNTER_WORKERS] = {"mquic_workers", NULL, "Workers that serve clients", "workers",
			     .is_gauge = true},
	[COUNTER_RESTARTS] = {"mquic_restarts", NULL, "Starts of a worker after it had ended",
			      .topic = "restarts"},
	[COUNTER_UPTIME] = {"mquic_uptime_seconds", NULL,
			    "Time that a worker has been serving clients", "uptime",
			    .is_gauge = true, .is_of_workers = true},
	[COUNTER_CLIENTS] = {"mquic_clients", NULL, "Clients that are connected over QUIC",
			     "clients/connected", .is_gauge = true},
	[COUNTER_ACCEPTED] = {"mquic_clients_accepted", NULL,
			      "Clients whose handshake was complete", .topic = "clients/total"},
	[COUNTER_RESIDENT] = {"mquic_resident_memory_bytes", NULL,
			      "Memory that workers have of the system", "memory/resident",
			      .is_gauge = true},
	[COUNTER_EARLY_ACCEPTED] = {"mquic_early_data", "outcome=\"accepted\"",
				    "Handshakes with early data, by what became of it",
				    .topic = "early-data/accepted"},
	[COUNTER_EARLY_REJECTED] = {"mquic_early_data", "outcome=\"rejected\"", NULL,
				    .topic = "early-data/rejected"},
	{"mquic_connections", NULL, "QUIC connections, handshakes among them", "connections",
	 .total = MQUIC_TOTAL_CONNECTIONS, .is_gauge = true},
	{"mquic_memory_bytes", NULL, "Memory of all QUIC connections", "memory",
	 .total = MQUIC_TOTAL_MEMORY, .is_gauge = true},

	{"mquic_handshakes_begun", NULL, "Handshakes begun", "handshakes/begun",
	 .total = MQUIC_TOTAL_HANDSHAKES_BEGUN},
	{"mquic_handshakes_done", NULL, "Handshakes that were completed", "handshakes/done",
	 .total = MQUIC_TOTAL_HANDSHAKES_DONE},
	{"mquic_handshakes_resumed", NULL, "Handshakes that went on from an earlier one",
	 "handshakes/resumed", .total = MQUIC_TOTAL_HANDSHAKES_RESUMED},
	{NULL, NULL, NULL, "handshakes/failed", .total = MQUIC_TOTAL_HANDSHAKES_FAILED},
	{"mquic_handshakes_failed", "reason=\"timeout\"", "Handshakes that failed, by the reason",
	 "handshakes/failed/timeout", .total = MQUIC_TOTAL_FAILED_TIMEOUT},
	{"mquic_handshakes_failed", "reason=\"certificate\"", NULL, "handshakes/failed/certificate",
	 .total = MQUIC_TOTAL_FAILED_CERTIFICATE},
	{"mquic_handshakes_failed", "reason=\"alpn\"", NULL, "handshakes/failed/alpn",
	 .total = MQUIC_TOTAL_FAILED_ALPN},
	{"mquic_handshakes_failed", "reason=\"tls\"", NULL, "handshakes/failed/tls",
	 .total = MQUIC_TOTAL_FAILED_TLS},
	{"mquic_handshakes_failed", "reason=\"version\"", NULL, "handshakes/failed/version",
	 .total = MQUIC_TOTAL_FAILED_VERSION},
	{"mquic_handshakes_failed", "reason=\"refused\"", NULL, "handshakes/failed/refused",
	 .total = MQUIC_TOTAL_FAILED_REFUSED},
	{"mquic_handshakes_failed", "reason=\"unreachable\"", NULL, "handshakes/failed/unreachable",
	 .total = MQUIC_TOTAL_FAILED_UNREACHABLE},
	{"mquic_handshakes_failed", "reason=\"closed\"", NULL, "handshakes/failed/closed",
	 .total = MQUIC_TOTAL_FAILED_CLOSED},
	{"mquic_handshakes_failed", "reason=\"abandoned\"", NULL, "handshakes/failed/abandoned",
	 .total = MQUIC_TOTAL_FAILED_ABANDONED},
	{"mquic_handshakes_failed", "reason=\"protocol\"", NULL, "handshakes/failed/protocol",
	 .total = MQUIC_TOTAL_FAILED_PROTOCOL},
	{"mquic_handshakes_failed", "reason=\"other\"", NULL, "handshakes/failed/other",
	 .total = MQUIC_TOTAL_FAILED_OTHER},
	{"mquic_handshake_faults", "who=\"server\"", "Handshakes that failed, by who erred",
	 "handshakes/faults/server", .total = MQUIC_TOTAL_FAILED_BY_CALLER},
	{"mquic_handshake_faults", "who=\"client\"", NULL, "handshakes/faults/client",
	 .total = MQUIC_TOTAL_FAILED_BY_PEER},
	{"mquic_handshake_faults", "who=\"system\"", NULL, "handshakes/faults/system",
	 .total = MQUIC_TOTAL_FAILED_BY_SYSTEM},
	{"mquic_handshake_faults", "who=\"mquic\"", NULL, "handshakes/faults/mquic",
	 .total = MQUIC_TOTAL_FAILED_BY_MQUIC},

	{"mquic_refusals", NULL, "Clients refused for a limit before their handshake", "refusals",
	 .total = MQUIC_TOTAL_REFUSALS_SENT},
	{"mquic_retries", NULL, "Retry packets sent, to have addresses proven", "retry/sent",
	 .total = MQUIC_TOTAL_RETRIES_SENT},
	{"mquic_tokens_refused", NULL, "Retry tokens that were forged or too old", "retry/refused",
	 .total = MQUIC_TOTAL_TOKENS_REFUSED},
	{"mquic_version_negotiations", NULL, "Answers to versions of QUIC that are not spoken",
	 "versions", .total = MQUIC_TOTAL_VERSION_NEGOTIATIONS_SENT},
	{"mquic_resets", "direction=\"sent\"", "Stateless resets", "resets/sent",
	 .total = MQUIC_TOTAL_RESETS_SENT},
	{"mquic_resets", "direction=\"received\"", NULL, "resets/received",
	 .total = MQUIC_TOTAL_RESETS_RECEIVED},

	{"mquic_datagrams", "direction=\"sent\"", "UDP datagrams", "datagrams/sent",
	 .total = MQUIC_TOTAL_DATAGRAMS_SENT},
	{"mquic_datagrams", "direction=\"received\"", NULL, "datagrams/received",
	 .total = MQUIC_TOTAL_DATAGRAMS_RECEIVED},
	{"mquic_payload_bytes", "direction=\"sent\"", "Payload of UDP datagrams", "bytes/sent",
	 .total = MQUIC_TOTAL_BYTES_SENT},
	{"mquic_payload_bytes", "direction=\"received\"", NULL, "bytes/received",
	 .total = MQUIC_TOTAL_BYTES_RECEIVED},
	{"mquic_datagrams_dropped", "reason=\"unknown\"", "UDP datagrams that were dropped",
	 "datagrams/dropped/unknown", .total = MQUIC_TOTAL_DROPPED_UNKNOWN},
	{"mquic_datagrams_dropped", "reason=\"invalid\"", NULL, "datagrams/dropped/invalid",
	 .total = MQUIC_TOTAL_DROPPED_INVALID},
	{"mquic_datagrams_dropped", "reason=\"late\"", NULL, "datagrams/dropped/late",
	 .total = MQUIC_TOTAL_DROPPED_LATE},
	{"mquic_datagrams_dropped", "reason=\"misdirected\"", NULL, "datagrams/dropped/misdirected",
	 .total = MQUIC_TOTAL_DROPPED_MISDIRECTED},
	{"mquic_datagrams_dropped", "reason=\"busy\"", NULL, "datagrams/dropped/busy",
	 .total = MQUIC_TOTAL_DROPPED_BUSY},
	{"mquic_packets_lost", NULL, "Packets with stream data that were lost", "packets/lost",
	 .total = MQUIC_TOTAL_PACKETS_LOST},
	{"mquic_migrations", NULL, "Moves of clients to other addresses", "migrations",
	 .total = MQUIC_TOTAL_MIGRATIONS},
	{"mquic_copies_sent", NULL, "UDP datagrams sent once more, in case the first is lost",
	 "copies/sent", .total = MQUIC_TOTAL_COPIES_SENT},
};

void counters_add(struct counters *counters, const struct counters *other)
{
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		if (!counter_rows[i].is_of_workers)
			counters->at[i] += other->at[i];
}

void counters_keep(struct counters *counters, const struct counters *gone)
{
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		if (!counter_rows[i].is_gauge)
			counters->at[i] += gone->at[i];
}

void counters_pack(struct counters_packet *packet, const struct counters *counters)
{
	packet->version = VERSION;
	packet->counters = *counters;
}

bool counters_unpack(struct counters *counters, const void *bytes, size_t len)
{
	struct counters_packet packet;

	if (len != sizeof(packet))
		return false;
	memcpy(&packet, bytes, sizeof(packet));
	*counters = packet.counters;
	return packet.version == VERSION;
}
