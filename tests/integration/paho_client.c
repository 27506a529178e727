/* SPDX-License-Identifier: MIT */
/*
 * paho-client PORT QOS COUNT: Eclipse Paho's client in C, which knows nothing of QUIC, sends
 * itself messages through whatever listens on a TCP port of this machine, and prints the
 * payload and the QoS of each as it comes back.
 */
#include <stdio.h>
#include <stdlib.h>

#include <MQTTClient.h>

#define WAIT_MS 10000

static void must(int code, const char *what)
{
	if (code == MQTTCLIENT_SUCCESS)
		return;
	fprintf(stderr, "%s: %s\n", what, MQTTClient_strerror(code));
	exit(1);
}

static void publish(MQTTClient client, int qos, int number)
{
	MQTTClient_deliveryToken token;
	char payload[16];
	int len = snprintf(payload, sizeof(payload), "%d", number);

	must(MQTTClient_publish(client, "paho/c", len, payload, qos, 0, &token), "publish");
	must(MQTTClient_waitForCompletion(client, token, WAIT_MS), "acknowledgement");
}

static void print_next(MQTTClient client)
{
	MQTTClient_message *message = NULL;
	char *topic = NULL;
	int topic_len;

	must(MQTTClient_receive(client, &topic, &topic_len, &message, WAIT_MS), "receive");
	if (message == NULL)
		exit(1);
	printf("%.*s %d\n", message->payloadlen, (const char *)message->payload, message->qos);
	MQTTClient_freeMessage(&message);
	MQTTClient_free(topic);
}

int main(int argc, char **argv)
{
	MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
	MQTTClient client;
	char uri[64];
	int qos, count;

	if (argc != 4)
		return 2;
	qos = atoi(argv[2]);
	count = atoi(argv[3]);
	snprintf(uri, sizeof(uri), "tcp://127.0.0.1:%s", argv[1]);
	options.connectTimeout = WAIT_MS / 1000;
	must(MQTTClient_create(&client, uri, "paho-c", MQTTCLIENT_PERSISTENCE_NONE, NULL),
	     "create");
	must(MQTTClient_connect(client, &options), "connect");
	must(MQTTClient_subscribe(client, "paho/c", qos), "subscribe");
	for (int i = 0; i < count; i++) {
		publish(client, qos, i);
		print_next(client);
	}
	must(MQTTClient_disconnect(client, WAIT_MS), "disconnect");
	MQTTClient_destroy(&client);
	return 0;
}
