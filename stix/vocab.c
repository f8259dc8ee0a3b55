/*
 * The vocabularies of the standard. Words of a list are sorted by byte: the look-up is binary.
 */
#include "stix/types_table.h"

#define VOCAB(name, title, closed, ...)                      \
    static const char *const name##_words[] = {__VA_ARGS__}; \
    const struct stix_vocab stix_vocab_##name = {            \
        (title), (closed), sizeof name##_words / sizeof name##_words[0], name##_words}

/* clang-format off */
/* Closed ones (S-019): another word is an error. */

VOCAB(encryption_algorithm, "encryption-algorithm-enum", true,
      "AES-256-GCM", "ChaCha20-Poly1305", "mime-type-indicated");

VOCAB(extension_type, "extension-type-enum", true,
      "new-sco", "new-sdo", "new-sro", "property-extension", "toplevel-property-extension");

VOCAB(opinion, "opinion-enum", true,
      "agree", "disagree", "neutral", "strongly-agree", "strongly-disagree");

VOCAB(network_socket_address_family, "network-socket-address-family-enum", true,
      "AF_APPLETALK", "AF_BTH", "AF_INET", "AF_INET6", "AF_IPX", "AF_IRDA", "AF_NETBIOS",
      "AF_UNSPEC");

VOCAB(network_socket_type, "network-socket-type-enum", true,
      "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET", "SOCK_STREAM");

VOCAB(windows_integrity_level, "windows-integrity-level-enum", true,
      "high", "low", "medium", "system");

VOCAB(windows_registry_datatype, "windows-registry-datatype-enum", true,
      "REG_BINARY", "REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_DWORD_LITTLE_ENDIAN",
      "REG_EXPAND_SZ", "REG_FULL_RESOURCE_DESCRIPTION", "REG_INVALID_TYPE", "REG_LINK",
      "REG_MULTI_SZ", "REG_NONE", "REG_QWORD", "REG_RESOURCE_LIST",
      "REG_RESOURCE_REQUIREMENTS_LIST", "REG_SZ");

VOCAB(windows_service_start_type, "windows-service-start-type-enum", true,
      "SERVICE_AUTO_START", "SERVICE_BOOT_START", "SERVICE_DEMAND_START", "SERVICE_DISABLED",
      "SERVICE_SYSTEM_ALERT");

VOCAB(windows_service_type, "windows-service-type-enum", true,
      "SERVICE_FILE_SYSTEM_DRIVER", "SERVICE_KERNEL_DRIVER", "SERVICE_WIN32_OWN_PROCESS",
      "SERVICE_WIN32_SHARE_PROCESS");

VOCAB(windows_service_status, "windows-service-status-enum", true,
      "SERVICE_CONTINUE_PENDING", "SERVICE_PAUSED", "SERVICE_PAUSE_PENDING", "SERVICE_RUNNING",
      "SERVICE_START_PENDING", "SERVICE_STOPPED", "SERVICE_STOP_PENDING");

/* Words of TLP, as the markings write them (S-069, S-070). */

VOCAB(tlp, "tlp", true,
      "amber", "green", "red", "white");

VOCAB(tlp_2, "tlp_2_0", true,
      "amber", "amber+strict", "clear", "green", "red");

/* Open ones: another word is a warning. */

VOCAB(account_type, "account-type-ov", false,
      "facebook", "ldap", "nis", "openid", "radius", "skype", "tacacs", "twitter", "unix",
      "windows-domain", "windows-local");

VOCAB(attack_motivation, "attack-motivation-ov", false,
      "accidental", "coercion", "dominance", "ideology", "notoriety", "organizational-gain",
      "personal-gain", "personal-satisfaction", "revenge", "unpredictable");

VOCAB(attack_resource_level, "attack-resource-level-ov", false,
      "club", "contest", "government", "individual", "organization", "team");

VOCAB(grouping_context, "grouping-context-ov", false,
      "malware-analysis", "suspicious-activity", "unspecified");

VOCAB(hash_algorithm, "hash-algorithm-ov", false,
      "MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512", "SSDEEP", "TLSH");

VOCAB(identity_class, "identity-class-ov", false,
      "class", "group", "individual", "organization", "system", "unknown");

VOCAB(implementation_language, "implementation-language-ov", false,
      "applescript", "bash", "c", "c#", "c++", "go", "java", "javascript", "lua", "objective-c",
      "perl", "php", "powershell", "python", "ruby", "rust", "scala", "swift", "typescript",
      "visual-basic", "x86-32", "x86-64");

VOCAB(indicator_type, "indicator-type-ov", false,
      "anomalous-activity", "anonymization", "attribution", "benign", "compromised",
      "malicious-activity", "unknown");

VOCAB(industry_sector, "industry-sector-ov", false,
      "aerospace", "agriculture", "automotive", "chemical", "commercial", "communications",
      "construction", "dams", "defense", "education", "emergency-services", "energy",
      "entertainment", "financial-services", "government", "government-local",
      "government-national", "government-public-services", "government-regional", "healthcare",
      "hospitality-leisure", "infrastructure", "insurance", "legal", "manufacturing", "mining",
      "non-profit", "nuclear", "pharmaceuticals", "retail", "technology", "telecommunications",
      "transportation", "utilities", "water");

VOCAB(infrastructure_type, "infrastructure-type-ov", false,
      "amplification", "anonymization", "botnet", "command-and-control", "control-system",
      "exfiltration", "firewall", "hosting-malware", "hosting-target-lists", "phishing",
      "reconnaissance", "routers-switches", "staging", "unknown", "workstation");

VOCAB(malware_capabilities, "malware-capabilities-ov", false,
      "accesses-remote-machines", "anti-debugging", "anti-disassembly", "anti-emulation",
      "anti-memory-forensics", "anti-sandbox", "anti-vm", "captures-input-peripherals",
      "captures-output-peripherals", "captures-system-state-data", "cleans-traces-of-infection",
      "commits-fraud", "communicates-with-c2", "compromises-data-availability",
      "compromises-data-integrity", "compromises-system-availability", "controls-local-machine",
      "degrades-security-software", "degrades-system-updates", "determines-c2-server",
      "emails-spam", "escalates-privileges", "evades-av", "exfiltrates-data", "fingerprints-host",
      "hides-artifacts", "hides-executing-code", "infects-files", "infects-remote-machines",
      "installs-other-components", "persists-after-system-reboot", "prevents-artifact-access",
      "prevents-artifact-deletion", "probes-network-environment", "self-modifies",
      "steals-authentication-credentials", "violates-system-operational-integrity");

VOCAB(malware_result, "malware-result-ov", false,
      "benign", "malicious", "suspicious", "unknown");

VOCAB(malware_type, "malware-type-ov", false,
      "adware", "backdoor", "bootkit", "bot", "ddos", "downloader", "dropper", "exploit-kit",
      "keylogger", "ransomware", "remote-access-trojan", "resource-exploitation",
      "rogue-security-software", "rootkit", "screen-capture", "spyware", "trojan", "unknown",
      "virus", "webshell", "wiper", "worm");

VOCAB(pattern_type, "pattern-type-ov", false,
      "pcre", "sigma", "snort", "stix", "suricata", "yara");

VOCAB(processor_architecture, "processor-architecture-ov", false,
      "alpha", "arm", "ia-64", "mips", "powerpc", "sparc", "x86", "x86-64");

VOCAB(region, "region-ov", false,
      "africa", "americas", "antarctica", "asia", "australia-new-zealand", "caribbean",
      "central-america", "central-asia", "eastern-africa", "eastern-asia", "eastern-europe",
      "europe", "latin-america-caribbean", "melanesia", "micronesia", "middle-africa",
      "northern-africa", "northern-america", "northern-europe", "oceania", "polynesia",
      "south-america", "south-eastern-asia", "southern-africa", "southern-asia",
      "southern-europe", "western-africa", "western-asia", "western-europe");

VOCAB(report_type, "report-type-ov", false,
      "attack-pattern", "campaign", "identity", "incident", "indicator", "intrusion-set",
      "malware", "observed-data", "threat-actor", "threat-report", "tool", "vulnerability");

VOCAB(threat_actor_type, "threat-actor-type-ov", false,
      "activist", "competitor", "crime-syndicate", "criminal", "hacker", "insider-accidental",
      "insider-disgruntled", "nation-state", "private-sector", "sensationalist", "spy",
      "terrorist", "unknown");

VOCAB(threat_actor_role, "threat-actor-role-ov", false,
      "agent", "director", "independent", "infrastructure-architect", "infrastructure-operator",
      "malware-author", "sponsor");

VOCAB(threat_actor_sophistication, "threat-actor-sophistication-ov", false,
      "advanced", "expert", "innovator", "intermediate", "minimal", "none", "strategic");

VOCAB(tool_type, "tool-type-ov", false,
      "credential-exploitation", "denial-of-service", "exploitation", "information-gathering",
      "network-capture", "remote-access", "unknown", "vulnerability-scanning");

VOCAB(windows_pebinary_type, "windows-pebinary-type-ov", false,
      "dll", "exe", "sys");
/* clang-format on */

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
