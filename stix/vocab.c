/*
 * The vocabularies of the standard. Words of a list are sorted by byte: the look-up is binary.
 */
#include "stix/types_table.h"

/* Closed ones (S-019): another word is an error. */

static const char *const encryption_algorithm_words[] = {"AES-256-GCM", "ChaCha20-Poly1305",
                                                         "mime-type-indicated"};
const struct stix_vocab stix_vocab_encryption_algorithm = {"encryption-algorithm-enum", true,
                                                           sizeof encryption_algorithm_words /
                                                               sizeof encryption_algorithm_words[0],
                                                           encryption_algorithm_words};

static const char *const extension_type_words[] = {
    "new-sco", "new-sdo", "new-sro", "property-extension", "toplevel-property-extension"};
const struct stix_vocab stix_vocab_extension_type = {
    "extension-type-enum", true, sizeof extension_type_words / sizeof extension_type_words[0],
    extension_type_words};

static const char *const opinion_words[] = {"agree", "disagree", "neutral", "strongly-agree",
                                            "strongly-disagree"};
const struct stix_vocab stix_vocab_opinion = {
    "opinion-enum", true, sizeof opinion_words / sizeof opinion_words[0], opinion_words};

static const char *const network_socket_address_family_words[] = {
    "AF_APPLETALK", "AF_BTH",  "AF_INET",    "AF_INET6",
    "AF_IPX",       "AF_IRDA", "AF_NETBIOS", "AF_UNSPEC"};
const struct stix_vocab stix_vocab_network_socket_address_family = {
    "network-socket-address-family-enum", true,
    sizeof network_socket_address_family_words / sizeof network_socket_address_family_words[0],
    network_socket_address_family_words};

static const char *const network_socket_type_words[] = {"SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM",
                                                        "SOCK_SEQPACKET", "SOCK_STREAM"};
const struct stix_vocab stix_vocab_network_socket_type = {"network-socket-type-enum", true,
                                                          sizeof network_socket_type_words /
                                                              sizeof network_socket_type_words[0],
                                                          network_socket_type_words};

static const char *const windows_integrity_level_words[] = {"high", "low", "medium", "system"};
const struct stix_vocab stix_vocab_windows_integrity_level = {
    "windows-integrity-level-enum", true,
    sizeof windows_integrity_level_words / sizeof windows_integrity_level_words[0],
    windows_integrity_level_words};

static const char *const windows_registry_datatype_words[] = {"REG_BINARY",
                                                              "REG_DWORD",
                                                              "REG_DWORD_BIG_ENDIAN",
                                                              "REG_DWORD_LITTLE_ENDIAN",
                                                              "REG_EXPAND_SZ",
                                                              "REG_FULL_RESOURCE_DESCRIPTION",
                                                              "REG_INVALID_TYPE",
                                                              "REG_LINK",
                                                              "REG_MULTI_SZ",
                                                              "REG_NONE",
                                                              "REG_QWORD",
                                                              "REG_RESOURCE_LIST",
                                                              "REG_RESOURCE_REQUIREMENTS_LIST",
                                                              "REG_SZ"};
const struct stix_vocab stix_vocab_windows_registry_datatype = {
    "windows-registry-datatype-enum", true,
    sizeof windows_registry_datatype_words / sizeof windows_registry_datatype_words[0],
    windows_registry_datatype_words};

static const char *const windows_service_start_type_words[] = {
    "SERVICE_AUTO_START", "SERVICE_BOOT_START", "SERVICE_DEMAND_START", "SERVICE_DISABLED",
    "SERVICE_SYSTEM_ALERT"};
const struct stix_vocab stix_vocab_windows_service_start_type = {
    "windows-service-start-type-enum", true,
    sizeof windows_service_start_type_words / sizeof windows_service_start_type_words[0],
    windows_service_start_type_words};

static const char *const windows_service_type_words[] = {
    "SERVICE_FILE_SYSTEM_DRIVER", "SERVICE_KERNEL_DRIVER", "SERVICE_WIN32_OWN_PROCESS",
    "SERVICE_WIN32_SHARE_PROCESS"};
const struct stix_vocab stix_vocab_windows_service_type = {"windows-service-type-enum", true,
                                                           sizeof windows_service_type_words /
                                                               sizeof windows_service_type_words[0],
                                                           windows_service_type_words};

static const char *const windows_service_status_words[] = {
    "SERVICE_CONTINUE_PENDING", "SERVICE_PAUSED",  "SERVICE_PAUSE_PENDING", "SERVICE_RUNNING",
    "SERVICE_START_PENDING",    "SERVICE_STOPPED", "SERVICE_STOP_PENDING"};
const struct stix_vocab stix_vocab_windows_service_status = {
    "windows-service-status-enum", true,
    sizeof windows_service_status_words / sizeof windows_service_status_words[0],
    windows_service_status_words};

/* Words of TLP, as the markings write them (S-069, S-070). */

static const char *const tlp_words[] = {"amber", "green", "red", "white"};
const struct stix_vocab stix_vocab_tlp = {"tlp", true, sizeof tlp_words / sizeof tlp_words[0],
                                          tlp_words};

static const char *const tlp_2_words[] = {"amber", "amber+strict", "clear", "green", "red"};
const struct stix_vocab stix_vocab_tlp_2 = {
    "tlp_2_0", true, sizeof tlp_2_words / sizeof tlp_2_words[0], tlp_2_words};

/* Open ones: another word is a warning. */

static const char *const account_type_words[] = {
    "facebook", "ldap",    "nis",  "openid",         "radius",       "skype",
    "tacacs",   "twitter", "unix", "windows-domain", "windows-local"};
const struct stix_vocab stix_vocab_account_type = {
    "account-type-ov", false, sizeof account_type_words / sizeof account_type_words[0],
    account_type_words};

static const char *const attack_motivation_words[] = {"accidental",    "coercion",
                                                      "dominance",     "ideology",
                                                      "notoriety",     "organizational-gain",
                                                      "personal-gain", "personal-satisfaction",
                                                      "revenge",       "unpredictable"};
const struct stix_vocab stix_vocab_attack_motivation = {
    "attack-motivation-ov", false,
    sizeof attack_motivation_words / sizeof attack_motivation_words[0], attack_motivation_words};

static const char *const attack_resource_level_words[] = {
    "club", "contest", "government", "individual", "organization", "team"};
const struct stix_vocab stix_vocab_attack_resource_level = {
    "attack-resource-level-ov", false,
    sizeof attack_resource_level_words / sizeof attack_resource_level_words[0],
    attack_resource_level_words};

static const char *const grouping_context_words[] = {"malware-analysis", "suspicious-activity",
                                                     "unspecified"};
const struct stix_vocab stix_vocab_grouping_context = {
    "grouping-context-ov", false, sizeof grouping_context_words / sizeof grouping_context_words[0],
    grouping_context_words};

static const char *const hash_algorithm_words[] = {"MD5",      "SHA-1",    "SHA-256", "SHA-512",
                                                   "SHA3-256", "SHA3-512", "SSDEEP",  "TLSH"};
const struct stix_vocab stix_vocab_hash_algorithm = {
    "hash-algorithm-ov", false, sizeof hash_algorithm_words / sizeof hash_algorithm_words[0],
    hash_algorithm_words};

static const char *const identity_class_words[] = {"class",        "group",  "individual",
                                                   "organization", "system", "unknown"};
const struct stix_vocab stix_vocab_identity_class = {
    "identity-class-ov", false, sizeof identity_class_words / sizeof identity_class_words[0],
    identity_class_words};

static const char *const implementation_language_words[] = {
    "applescript", "bash",         "c",      "c#",          "c++",   "go",
    "java",        "javascript",   "lua",    "objective-c", "perl",  "php",
    "powershell",  "python",       "ruby",   "rust",        "scala", "swift",
    "typescript",  "visual-basic", "x86-32", "x86-64"};
const struct stix_vocab stix_vocab_implementation_language = {
    "implementation-language-ov", false,
    sizeof implementation_language_words / sizeof implementation_language_words[0],
    implementation_language_words};

static const char *const indicator_type_words[] = {
    "anomalous-activity", "anonymization",      "attribution", "benign",
    "compromised",        "malicious-activity", "unknown"};
const struct stix_vocab stix_vocab_indicator_type = {
    "indicator-type-ov", false, sizeof indicator_type_words / sizeof indicator_type_words[0],
    indicator_type_words};

static const char *const industry_sector_words[] = {"aerospace",
                                                    "agriculture",
                                                    "automotive",
                                                    "chemical",
                                                    "commercial",
                                                    "communications",
                                                    "construction",
                                                    "dams",
                                                    "defense",
                                                    "education",
                                                    "emergency-services",
                                                    "energy",
                                                    "entertainment",
                                                    "financial-services",
                                                    "government",
                                                    "government-local",
                                                    "government-national",
                                                    "government-public-services",
                                                    "government-regional",
                                                    "healthcare",
                                                    "hospitality-leisure",
                                                    "infrastructure",
                                                    "insurance",
                                                    "legal",
                                                    "manufacturing",
                                                    "mining",
                                                    "non-profit",
                                                    "nuclear",
                                                    "pharmaceuticals",
                                                    "retail",
                                                    "technology",
                                                    "telecommunications",
                                                    "transportation",
                                                    "utilities",
                                                    "water"};
const struct stix_vocab stix_vocab_industry_sector = {
    "industry-sector-ov", false, sizeof industry_sector_words / sizeof industry_sector_words[0],
    industry_sector_words};

static const char *const infrastructure_type_words[] = {"amplification",
                                                        "anonymization",
                                                        "botnet",
                                                        "command-and-control",
                                                        "control-system",
                                                        "exfiltration",
                                                        "firewall",
                                                        "hosting-malware",
                                                        "hosting-target-lists",
                                                        "phishing",
                                                        "reconnaissance",
                                                        "routers-switches",
                                                        "staging",
                                                        "unknown",
                                                        "workstation"};
const struct stix_vocab stix_vocab_infrastructure_type = {"infrastructure-type-ov", false,
                                                          sizeof infrastructure_type_words /
                                                              sizeof infrastructure_type_words[0],
                                                          infrastructure_type_words};

static const char *const malware_capabilities_words[] = {"accesses-remote-machines",
                                                         "anti-debugging",
                                                         "anti-disassembly",
                                                         "anti-emulation",
                                                         "anti-memory-forensics",
                                                         "anti-sandbox",
                                                         "anti-vm",
                                                         "captures-input-peripherals",
                                                         "captures-output-peripherals",
                                                         "captures-system-state-data",
                                                         "cleans-traces-of-infection",
                                                         "commits-fraud",
                                                         "communicates-with-c2",
                                                         "compromises-data-availability",
                                                         "compromises-data-integrity",
                                                         "compromises-system-availability",
                                                         "controls-local-machine",
                                                         "degrades-security-software",
                                                         "degrades-system-updates",
                                                         "determines-c2-server",
                                                         "emails-spam",
                                                         "escalates-privileges",
                                                         "evades-av",
                                                         "exfiltrates-data",
                                                         "fingerprints-host",
                                                         "hides-artifacts",
                                                         "hides-executing-code",
                                                         "infects-files",
                                                         "infects-remote-machines",
                                                         "installs-other-components",
                                                         "persists-after-system-reboot",
                                                         "prevents-artifact-access",
                                                         "prevents-artifact-deletion",
                                                         "probes-network-environment",
                                                         "self-modifies",
                                                         "steals-authentication-credentials",
                                                         "violates-system-operational-integrity"};
const struct stix_vocab stix_vocab_malware_capabilities = {"malware-capabilities-ov", false,
                                                           sizeof malware_capabilities_words /
                                                               sizeof malware_capabilities_words[0],
                                                           malware_capabilities_words};

static const char *const malware_result_words[] = {"benign", "malicious", "suspicious", "unknown"};
const struct stix_vocab stix_vocab_malware_result = {
    "malware-result-ov", false, sizeof malware_result_words / sizeof malware_result_words[0],
    malware_result_words};

static const char *const malware_type_words[] = {"adware",
                                                 "backdoor",
                                                 "bootkit",
                                                 "bot",
                                                 "ddos",
                                                 "downloader",
                                                 "dropper",
                                                 "exploit-kit",
                                                 "keylogger",
                                                 "ransomware",
                                                 "remote-access-trojan",
                                                 "resource-exploitation",
                                                 "rogue-security-software",
                                                 "rootkit",
                                                 "screen-capture",
                                                 "spyware",
                                                 "trojan",
                                                 "unknown",
                                                 "virus",
                                                 "webshell",
                                                 "wiper",
                                                 "worm"};
const struct stix_vocab stix_vocab_malware_type = {
    "malware-type-ov", false, sizeof malware_type_words / sizeof malware_type_words[0],
    malware_type_words};

static const char *const pattern_type_words[] = {"pcre", "sigma",    "snort",
                                                 "stix", "suricata", "yara"};
const struct stix_vocab stix_vocab_pattern_type = {
    "pattern-type-ov", false, sizeof pattern_type_words / sizeof pattern_type_words[0],
    pattern_type_words};

static const char *const processor_architecture_words[] = {"alpha",   "arm",   "ia-64", "mips",
                                                           "powerpc", "sparc", "x86",   "x86-64"};
const struct stix_vocab stix_vocab_processor_architecture = {
    "processor-architecture-ov", false,
    sizeof processor_architecture_words / sizeof processor_architecture_words[0],
    processor_architecture_words};

static const char *const region_words[] = {"africa",
                                           "americas",
                                           "antarctica",
                                           "asia",
                                           "australia-new-zealand",
                                           "caribbean",
                                           "central-america",
                                           "central-asia",
                                           "eastern-africa",
                                           "eastern-asia",
                                           "eastern-europe",
                                           "europe",
                                           "latin-america-caribbean",
                                           "melanesia",
                                           "micronesia",
                                           "middle-africa",
                                           "northern-africa",
                                           "northern-america",
                                           "northern-europe",
                                           "oceania",
                                           "polynesia",
                                           "south-america",
                                           "south-eastern-asia",
                                           "southern-africa",
                                           "southern-asia",
                                           "southern-europe",
                                           "western-africa",
                                           "western-asia",
                                           "western-europe"};
const struct stix_vocab stix_vocab_region = {
    "region-ov", false, sizeof region_words / sizeof region_words[0], region_words};

static const char *const report_type_words[] = {"attack-pattern", "campaign",      "identity",
                                                "incident",       "indicator",     "intrusion-set",
                                                "malware",        "observed-data", "threat-actor",
                                                "threat-report",  "tool",          "vulnerability"};
const struct stix_vocab stix_vocab_report_type = {
    "report-type-ov", false, sizeof report_type_words / sizeof report_type_words[0],
    report_type_words};

static const char *const threat_actor_type_words[] = {"activist",
                                                      "competitor",
                                                      "crime-syndicate",
                                                      "criminal",
                                                      "hacker",
                                                      "insider-accidental",
                                                      "insider-disgruntled",
                                                      "nation-state",
                                                      "private-sector",
                                                      "sensationalist",
                                                      "spy",
                                                      "terrorist",
                                                      "unknown"};
const struct stix_vocab stix_vocab_threat_actor_type = {
    "threat-actor-type-ov", false,
    sizeof threat_actor_type_words / sizeof threat_actor_type_words[0], threat_actor_type_words};

static const char *const threat_actor_role_words[] = {"agent",
                                                      "director",
                                                      "independent",
                                                      "infrastructure-architect",
                                                      "infrastructure-operator",
                                                      "malware-author",
                                                      "sponsor"};
const struct stix_vocab stix_vocab_threat_actor_role = {
    "threat-actor-role-ov", false,
    sizeof threat_actor_role_words / sizeof threat_actor_role_words[0], threat_actor_role_words};

static const char *const threat_actor_sophistication_words[] = {
    "advanced", "expert", "innovator", "intermediate", "minimal", "none", "strategic"};
const struct stix_vocab stix_vocab_threat_actor_sophistication = {
    "threat-actor-sophistication-ov", false,
    sizeof threat_actor_sophistication_words / sizeof threat_actor_sophistication_words[0],
    threat_actor_sophistication_words};

static const char *const tool_type_words[] = {
    "credential-exploitation", "denial-of-service", "exploitation", "information-gathering",
    "network-capture",         "remote-access",     "unknown",      "vulnerability-scanning"};
const struct stix_vocab stix_vocab_tool_type = {
    "tool-type-ov", false, sizeof tool_type_words / sizeof tool_type_words[0], tool_type_words};

static const char *const windows_pebinary_type_words[] = {"dll", "exe", "sys"};
const struct stix_vocab stix_vocab_windows_pebinary_type = {
    "windows-pebinary-type-ov", false,
    sizeof windows_pebinary_type_words / sizeof windows_pebinary_type_words[0],
    windows_pebinary_type_words};

bool stix_words_have(const char *const *words, size_t n, struct isg_str text)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = isg_str_cmp(text, isg_str_of(words[mid]));
        if (order == 0)
            return true;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return false;
}

bool stix_vocab_has(const struct stix_vocab *vocab, struct isg_str word)
{
    return stix_words_have(vocab->words, vocab->n, word);
}
