/* SPDX-License-Identifier: MIT */
/*
 * A plugin of the broker that looks at nothing. The interface is spelt out, version 5 of it, so
 * that the broker's headers need not be there.
 */
int mosquitto_plugin_version(int count, const int *versions);
int mosquitto_plugin_init(void *identifier, void **userdata, void *options, int count);
int mosquitto_plugin_cleanup(void *userdata, void *options, int count);

int mosquitto_plugin_version(int count, const int *versions)
{
	(void)count;
	(void)versions;
	return 5;
}

int mosquitto_plugin_init(void *identifier, void **userdata, void *options, int count)
{
	(void)identifier;
	(void)userdata;
	(void)options;
	(void)count;
	return 0;
}

int mosquitto_plugin_cleanup(void *userdata, void *options, int count)
{
	(void)userdata;
	(void)options;
	(void)count;
	return 0;
}
