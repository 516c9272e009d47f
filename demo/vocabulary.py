"""The words that logins are made of: names, passwords, programs."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES: Final = _words(
    "james mary wei fatima jose anna li mohammed sofia ivan yuki priya lucas emma noah olivia "
    "liam zahra ali sara omar elena marco giulia hans ingrid lars astrid pierre claire juan "
    "lucia diego carmen paulo ana kofi ama chidi ngozi reza leila amir maryam kenji hana min "
    "jun tran linh"
)
LAST_NAMES: Final = _words(
    "smith jones brown garcia martinez lopez wang zhang chen kumar singh patel mueller schmidt "
    "weber rossi ferrari dubois moreau silva santos ivanov petrov kim park nguyen tanaka suzuki "
    "okafor mensah haddad ahmadi hosseini jansen nielsen svensson kowalski novak horvath "
    "papadopoulos"
)
#: What bots try wherever there is a login, SSH first of all.
SYSTEM_NAMES: Final = _words(
    "root admin administrator test guest user oracle postgres mysql ubuntu debian centos pi git "
    "jenkins hadoop tomcat nagios zabbix ftp ftpuser www-data backup deploy dev support service "
    "operator sysadmin webmaster info minecraft steam odoo elastic kafka redis vagrant ansible "
    "docker gitlab teamspeak ec2-user nobody mail student demo"
)
PASSWORDS: Final = _words(
    "123456 password 123456789 12345678 qwerty 111111 abc123 1234567 password1 12345 iloveyou "
    "123123 000000 qwerty123 1q2w3e4r admin letmein welcome monkey dragon football 654321 "
    "princess login starwars passw0rd master hello freedom whatever trustno1 Summer2026! "
    "Winter2025! Welcome1 Passw0rd! changeme root toor"
)
SEASONAL_PASSWORDS: Final = ("Summer2026!", "Welcome1!", "Password123")

BROWSERS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 "
    "Edg/142.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.1 "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.1 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
)
#: Browsers that people left years ago and bots still claim to be.
STALE_BROWSERS: Final = (
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/52.0.2743.116 Safari/537.36",
    "Mozilla/5.0 (Windows NT 6.1; rv:60.0) Gecko/20100101 Firefox/60.0",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
)
REQUESTS: Final = "python-requests/2.32.5"
CURL: Final = "curl/8.5.0"
GO: Final = "Go-http-client/1.1"
WGET: Final = "Wget/1.24.5"
HYDRA: Final = "Mozilla/5.0 (Hydra)"

RELEASE_NOTES: Final = (
    "Called in, identity checked",
    "Verified by video call",
    "New password set, phone call",
    "Ticket from the service desk, manager confirmed",
    "Known device, caught by an attack on the name",
)
LOCK_NOTES: Final = (
    "Left the company",
    "Phishing report, waits for a new password",
    "Password seen in a leak",
    "Unusual sign-in, under investigation",
    "On leave, at their own wish",
)
