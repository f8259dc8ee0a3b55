/*
 * The command line: one table of commands, one option parser, one way to fail.
 *
 * Exit codes are those of sysexits(3); 1 means "checked, and the answer is no". Results go to
 * standard output, everything else to standard error. `-C DIR`, `--json` and `--help` work
 * everywhere.
 */
#ifndef GATEWAY_CLI_CLI_H
#define GATEWAY_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "gateway/config.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/json.h"

enum {
    CLI_NO = 1,
    CLI_USAGE = 64,
    CLI_DATA = 65,
    CLI_CANTCREAT = 73,
    CLI_CONFIG = 78,
    CLI_ARGS_MAX = 65536,
    CLI_COUNT = 24 /* bytes of a number's text */
};

struct cli;
struct trust_key;

/* A command, or a command of a command (`member add`). */
struct cli_command {
    const char *name;
    const char *summary; /* one line; NULL: a command of a command, which its help tells of */
    int (*run)(struct cli *cli);
};

struct cli {
    const struct cli_command *command;
    const char *dir; /* the instance directory */
    bool json;
    bool help;
    bool wrong_config; /* the failure is one of the configuration: cli_fail returns CLI_CONFIG */
    int argc;          /* words behind the command's name */
    char **argv;
    const char **args; /* positional arguments, after cli_options */
    size_t args_count;
};

/* An option: exactly one of flag, value and values is set. */
struct cli_option {
    const char *name; /* "--format" or "-o" */
    bool *flag;
    const char **value;
};

/*
 * Read options and positional arguments; refuses unknown options. Returns 0, or the exit code to
 * leave with (CLI_USAGE after a message; -1 after --help was printed: leave with 0).
 */
int cli_options(struct cli *cli, const struct cli_option *options, size_t n);

/* `least` to `most` positional arguments, or a message and CLI_USAGE. */
int cli_expect(const struct cli *cli, size_t least, size_t most);

/* Both: what most commands begin with. */
int cli_arguments(struct cli *cli, const struct cli_option *options, size_t n, size_t least,
                  size_t most);

/* Print "isg COMMAND: text (path, rule)" and return the exit code of why->code. */
int cli_fail(const struct cli *cli, const struct isg_fail *why);

/*
 * The instance's configuration, or with `file` that file's. As config_load; a wrong one makes
 * cli_fail return CLI_CONFIG.
 */
int cli_config_load(struct cli *cli, const char *file, struct config **out, struct isg_fail *why);

/*
 * The key that signs content, opened with its passphrase; free it with trust_key_free. ISG_EUSAGE
 * (and a wrong configuration) when no setting names the passphrase; else as trust_key_load.
 */
int cli_content_key(struct cli *cli, const struct config *config, struct trust_key **out,
                    struct isg_fail *why);

/* Print a usage message and return CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Run the command of a command named by the first word that is neither option nor -C's value. */
int cli_family(struct cli *cli, const struct cli_command *family, size_t n);

/* A whole file ("-": standard input) into out. ISG_EIO, ISG_ELIMIT over max bytes. */
int cli_read(const char *path, size_t max, struct isg_buf *out, struct isg_fail *why);

/*
 * Write a file through a temporary name: whole or not at all. mode as open(2). "-" is standard
 * output; what is there and no plain file (a device, a pipe) is written in place.
 */
int cli_write(const char *path, struct isg_str text, unsigned mode, struct isg_fail *why);

/*
 * The two halves of it, for several files that belong together: write each under its temporary name,
 * then give all their names; or drop those that have none yet. ISG_EIO; ISG_EBUSY: interrupted.
 */
int cli_write_aside(const char *path, struct isg_str text, unsigned mode, struct isg_fail *why);
int cli_write_name(const char *path, struct isg_fail *why);
/* Nothing is there: no harm. */
void cli_write_drop(const char *path);

/*
 * May a file be put in the place of path? ISG_OK when nothing or a plain file is there; ISG_EIO for a
 * folder, a device, a pipe and the program's own streams, which a rename would take away.
 */
int cli_check_target(const char *path, struct isg_fail *why);

/* A secret from a file, without the newline at its end. */
int cli_read_secret(const char *path, struct isg_buf *out, struct isg_fail *why);

/*
 * Print one line for people, without its newline here. What in it comes from files or other servers
 * stays on the line and moves no cursor.
 */
void cli_line(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print a view and a newline on standard output. */
void cli_print(struct isg_str text);

/*
 * One request to the running service over its admin socket. *out_reply (may be NULL) gets the
 * parsed answer. An error status becomes the code it came from, with the service's own text;
 * ISG_ENET when no service runs.
 */
int cli_admin(struct cli *cli, const char *method, const char *path, struct isg_str body,
              struct stix_json **out_reply, struct isg_fail *why);

/* As cli_admin, with the answer's bytes. */
int cli_admin_raw(struct cli *cli, const char *method, const char *path, struct isg_str body,
                  struct isg_buf *out_reply, struct isg_fail *why);

/*
 * One request whose answer is the command's result: printed as it came with --json, else by
 * `print`. Returns the exit code, after a message when it failed.
 */
int cli_admin_print(struct cli *cli, const char *method, const char *path, struct isg_str body,
                    void (*print)(const struct stix_json *json));

/* As cli_admin_print, a question: GET without a body. */
int cli_ask(struct cli *cli, const char *path, void (*print)(const struct stix_json *json));

/* As cli_admin_print, about the thing of a list ("members", "feeds") that the first argument names. */
int cli_named(struct cli *cli, const char *method, const char *list, const char *rest,
              struct isg_str body, void (*print)(const struct stix_json *json));

/* Append text percent-encoded for a path or a query value. */
void cli_escape(struct isg_buf *out, const char *text);

/*
 * Write the path of a thing that has a name: LIST/NAME, and rest behind it. Release out, also after a
 * failure. ISG_EUSAGE for what is no name of anything: empty, dots only, no UTF-8.
 */
int cli_path(struct isg_buf *out, const char *list, const char *name, const char *rest,
             struct isg_fail *why);

/*
 * A path for a Unix socket that fits into sockaddr_un: as it is, or through the descriptor of its
 * folder. Returns out (108 bytes).
 */
const char *cli_socket_path(const char *path, char out[108]);

/* A number as text, "?" where there is none: the service could not tell it. Returns out. */
const char *cli_count(const struct stix_json *value, char out[CLI_COUNT]);

/* A table on standard output: columns padded, header first, NULL cells empty. */
void cli_table(const char *const *header, size_t columns, const char *const *cells, size_t rows);

/* The families; each file's name is the family's. */
int cli_init(struct cli *cli);
/* Run the service in the foreground. */
int cli_serve(struct cli *cli);
/* Wait until the service answers. */
int cli_wait(struct cli *cli);
/* What the running service holds. */
int cli_status(struct cli *cli);
/* What is wrong around the service, and what to do. */
int cli_doctor(struct cli *cli);
/* Read a configuration and say whether it is good. */
int cli_check_config(struct cli *cli);
/* An example, the one in force, or the reference. */
int cli_config(struct cli *cli);
/* Members, their tokens and certificates. */
int cli_member(struct cli *cli);
/* Collections and their rights. */
int cli_collection(struct cli *cli);
/* Feed files, mapped here and judged by the service. */
int cli_import(struct cli *cli);
/* A feed file as a STIX 2.1 bundle, without a service. */
int cli_convert(struct cli *cli);
/* What a member may see, as a signed bundle or in a form of other tools. */
int cli_export(struct cli *cli);
/* A bundle against its signatures and keys. */
int cli_verify(struct cli *cli);
/* The keys that sign what leaves. */
int cli_key(struct cli *cli);
/* STIX 2.1 objects and bundles, by the rules. */
int cli_validate(struct cli *cli);
/* Patterns: check, match, compare. */
int cli_pattern(struct cli *cli);
/* The deterministic id of observables. */
int cli_id(struct cli *cli);
/* The canonical (RFC 8785) form of a JSON file. */
int cli_canon(struct cli *cli);
/* Sources that are pulled on a schedule. */
int cli_feed(struct cli *cli);
/* Pull from or push to other TAXII servers; the state of those that do on a schedule. */
int cli_peer(struct cli *cli);
/* The webhooks' state, and a run of one now. */
int cli_webhook(struct cli *cli);

/* What main calls: find the command, run it, return the exit code. */
int cli_main(int argc, char **argv);

#endif
