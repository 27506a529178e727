/* SPDX-License-Identifier: MIT */
/* Packets that pass by: only what must be seen of them is kept. See merge-body.h. */
#include "mqtt/merge-body.h"

/* A packet that is larger and not PUBLISH passes unseen. */
#define SEEN_MAX 262144u

bool merge_scan_is_between(const struct merge_scan *scan)
{
	return scan->skip == 0 && (scan->head.len == 0 || scan->shown);
}

/* How much of a PUBLISH must be there: topic and packet identifier, if it has one. */
static size_t publish_part(struct bytes bytes, size_t header, size_t size)
{
	size_t wanted = header + 2;

	if ((bytes.data[0] & 0x06) == 0)
		return header;
	if (bytes.len >= wanted)
		wanted += (size_t)bytes.data[header] << 8 | bytes.data[header + 1];
	wanted += bytes.len >= header + 2 ? 2 : 0;
	return wanted < size ? wanted : size;
}

/*
 * How many bytes from its start on must be there before the packet can be shown, as far as these
 * tell; `*size` is all of it, once known. 0: no packet starts like this.
 */
static size_t part_wanted(struct bytes bytes, size_t *header, size_t *size)
{
	uint32_t body = 0;
	int found = mqtt_header_read(bytes, &body);

	*header = 0;
	*size = 0;
	if (found <= 0)
		return found < 0 ? 0 : bytes.len + 1;
	*header = (size_t)found;
	*size = *header + body;
	if (bytes.data[0] >> 4 == MQTT_PUBLISH)
		return publish_part(bytes, *header, *size);
	return body > SEEN_MAX ? *header : *size;
}

static void show(struct bytes bytes, size_t header, size_t part, struct mqtt_packet *packet)
{
	packet->type = (enum mqtt_type)(bytes.data[0] >> 4);
	packet->flags = bytes.data[0] & 0x0f;
	packet->body = bytes_of(bytes.data + header, part - header);
}

static void drop(struct bytes *input, size_t len)
{
	input->data += len;
	input->len -= len;
}

/* All is in the input: nothing is copied. */
static bool show_in_place(struct merge_scan *scan, struct bytes *input, struct mqtt_packet *packet)
{
	size_t header;
	size_t size;
	size_t part = part_wanted(*input, &header, &size);

	if (part == 0 || part > input->len)
		return false;
	show(*input, header, part, packet);
	scan->skip = size;
	return true;
}

/* Byte by byte, but for what is known to be wanted. */
static bool gather(struct merge_scan *scan, struct bytes *input, struct mqtt_packet *packet)
{
	while (!scan->head.failed) {
		struct bytes head = buf_writer_content(&scan->head);
		size_t header;
		size_t size;
		size_t part = part_wanted(head, &header, &size);
		size_t missing = part > head.len ? part - head.len : 0;

		if (part == 0)
			missing = input->len; /* no MQTT: all of it passes */
		else if (missing == 0) {
			show(head, header, part, packet);
			scan->skip = size - part;
			scan->shown = true;
			return true;
		}
		if (missing > input->len)
			missing = input->len;
		if (missing == 0)
			break;
		if (part > 0)
			buf_write_bytes(&scan->head, bytes_of(input->data, missing));
		drop(input, missing);
	}
	return false;
}

bool merge_scan_next(struct merge_scan *scan, struct bytes *input, struct mqtt_packet *packet)
{
	if (scan->skip > 0) {
		size_t len = scan->skip < input->len ? scan->skip : input->len;

		drop(input, len);
		scan->skip -= len;
		return false;
	}
	if (scan->shown)
		buf_writer_consume(&scan->head, SIZE_MAX);
	scan->shown = false;
	if (scan->head.len == 0 && show_in_place(scan, input, packet))
		return true;
	return input->len > 0 && gather(scan, input, packet);
}
