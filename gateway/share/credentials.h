/*
 * What a member logs in with, as JSON members of its document: client certificates, tokens, and the
 * password before the present one while a rotation lasts. For the files of this room.
 */
#ifndef GATEWAY_SHARE_CREDENTIALS_H
#define GATEWAY_SHARE_CREDENTIALS_H

#include "gateway/share/document.h"
#include "stix/base/jsonw.h"

enum { CREDENTIALS_KEY_BYTES = 32, CREDENTIALS_TOKEN_ID = 9 };

/* Setters for the table of a member's fields. */

/* "certificates": the whole list; null empties it. */
int credentials_set_certificates(struct document_read *read, const struct stix_json *value);
/* "add_certificate": one more; one that is there already stays one. */
int credentials_add_certificate(struct document_read *read, const struct stix_json *value);
/* "remove_certificate": ISG_EINVAL when the member has no such one. */
int credentials_remove_certificate(struct document_read *read, const struct stix_json *value);
/* "tokens" as they are kept; read from the store only. */
int credentials_set_tokens(struct document_read *read, const struct stix_json *value);
/* "old_password" {hash, until_us}; null takes it away. */
int credentials_set_old_password(struct document_read *read, const struct stix_json *value);

/* The value of "certificates": a list. */
void credentials_write_certificates(struct isg_jsonw *w, const struct member *member);
/* The value of "tokens", as they are kept or (without their keys) as people see them. */
void credentials_write_tokens(struct isg_jsonw *w, const struct member *member, bool kept);
/* "old_password", name and value; nothing when there is none. */
void credentials_write_old_password(struct isg_jsonw *w, const struct member *member);

/* By what a certificate is found: its fingerprint, or a digest of issuer and name. */
bool credentials_key(const struct member_certificate *certificate,
                     uint8_t out[CREDENTIALS_KEY_BYTES]);

/* A short name of a token that tells nothing of it. */
void credentials_token_id(const struct member_token *token, char out[CREDENTIALS_TOKEN_ID]);

#endif
