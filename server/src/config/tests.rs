use super::*;

fn parse(vars: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let no_files = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    Config::from_vars(vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())), no_files)
}

fn mistakes(vars: &[(&str, &str)]) -> Vec<String> {
    parse(vars).unwrap_err().0
}

#[test]
fn nothing_set_is_a_working_configuration() {
    let config = parse(&[]).unwrap();
    assert!(matches!(&config.database, Database::Embedded { data_dir } if data_dir.is_absolute()));
    assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.base_url(config.listen).origin(), "http://127.0.0.1:3000");
    assert_eq!(config.time_zone, TimeZone::UTC);
    assert!(config.rate_limits);
    assert!(!config.trusted_proxies.contains("127.0.0.1".parse().unwrap()));
    assert_eq!(config.log, None);
}

#[test]
fn every_value_is_read() {
    let config = parse(&[
        ("DATABASE_URL", "postgres://plumbline:s3cret@db.example/plumbline"),
        ("PLUMBLINE_LISTEN", "localhost:8080"),
        ("PLUMBLINE_BASE_URL", "https://plumbline.example/"),
        ("PLUMBLINE_TIME_ZONE", "America/Vancouver"),
        ("PLUMBLINE_RATE_LIMITS", "off"),
        ("PLUMBLINE_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("PLUMBLINE_WEBHOOK_ALLOWED_NETWORKS", "10.20.0.0/16"),
        ("PLUMBLINE_DB_POOL", "4"),
        ("PLUMBLINE_LOG", "pretty"),
        ("PLUMBLINE_METRICS_LISTEN", "off"),
    ])
    .unwrap();
    assert!(matches!(&config.database, Database::External(url) if url.expose().contains("s3cret")));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.base_url(config.listen).origin(), "https://plumbline.example");
    assert!(config.base_url(config.listen).is_https());
    assert_eq!(config.time_zone.iana_name(), Some("America/Vancouver"));
    assert!(!config.rate_limits);
    assert!(config.trusted_proxies.contains("10.2.3.4".parse().unwrap()));
    assert!(config.trusted_proxies.contains("::1".parse().unwrap()));
    assert!(config.webhook_allowed_networks.contains("10.20.1.1".parse().unwrap()));
    assert_eq!(config.db_pool, 4);
    assert_eq!(config.log, Some(LogFormat::Pretty));
}

#[test]
fn secrets_are_not_printed() {
    let config = parse(&[("DATABASE_URL", "postgres://plumbline:s3cret@db.example/plumbline")]).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    let errors = mistakes(&[("DATABASE_URL", "mysql://plumbline:s3cret@db.example/plumbline")]);
    assert!(!errors.join(" ").contains("s3cret"));
}

#[test]
fn a_secret_may_come_from_a_file() {
    let vars = [("DATABASE_URL_FILE".to_owned(), "/run/secrets/db".to_owned())];
    let config = Config::from_vars(vars, |path| {
        assert_eq!(path, Path::new("/run/secrets/db"));
        Ok("postgres://u@db.example/plumbline\n".into())
    })
    .unwrap();
    assert!(matches!(&config.database, Database::External(url) if url.expose() == "postgres://u@db.example/plumbline"));

    let both = mistakes(&[("DATABASE_URL", "postgres://u@h/d"), ("DATABASE_URL_FILE", "/x")]);
    assert!(both[0].contains("both set"), "{both:?}");
    let unreadable = mistakes(&[("DATABASE_URL_FILE", "/x")]);
    assert!(unreadable[0].contains("cannot read /x"), "{unreadable:?}");
}

#[test]
fn an_unknown_name_is_an_error_that_names_the_nearest() {
    let errors = mistakes(&[("PLUMBLINE_LISTN", "127.0.0.1:1")]);
    assert_eq!(errors, ["PLUMBLINE_LISTN is not a known variable; did you mean PLUMBLINE_LISTEN?"]);
    // Only secrets may come from files.
    assert_eq!(mistakes(&[("PLUMBLINE_LISTEN_FILE", "/x")]).len(), 1);
    // Other programs' variables and the test programs' own are none of our business.
    assert!(parse(&[("EDITOR", "vi"), ("PLUMBLINE_TEST_DATABASE_URL", "x")]).is_ok());
}

#[test]
fn all_mistakes_are_reported_together() {
    let errors = mistakes(&[
        ("PLUMBLINE_LISTEN", "3000"),
        ("PLUMBLINE_BASE_URL", "https://plumbline.example/app"),
        ("PLUMBLINE_TIME_ZONE", "Mars/Olympus"),
        ("PLUMBLINE_RATE_LIMITS", "yes"),
        ("PLUMBLINE_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("PLUMBLINE_DB_POOL", "1"),
        ("PLUMBLINE_LOG", "xml"),
        ("PLUMBLINE_METRICS_LISTEN", "on"),
        ("PLUMBLINE_SMTP_URL", "mail.example with s3cret"),
        ("PLUMBLINE_MAIL_FROM", "Plumbline"),
        ("PLUMBLINE_OIDC_ISSUER", "id.example"),
    ]);
    assert_eq!(errors.len(), 11, "{errors:#?}");
    assert!(!errors.join(" ").contains("s3cret"));
}

#[test]
fn what_has_no_effect_yet_is_accepted_and_named() {
    let set = [
        ("PLUMBLINE_OIDC_ISSUER", "https://id.example/realms/x"),
        ("PLUMBLINE_OIDC_CLIENT_ID", "plumbline"),
        ("PLUMBLINE_OIDC_CLIENT_SECRET", "s3cret"),
    ];
    let names: Vec<_> = set.iter().map(|(name, _)| *name).collect();
    assert_eq!(parse(&set).unwrap().without_effect, names);
    let quiet = [("PLUMBLINE_METRICS_LISTEN", "127.0.0.1:9100"), ("PLUMBLINE_MAIL_FROM", "")];
    assert!(parse(&quiet).unwrap().without_effect.is_empty());
}

#[test]
fn a_mail_server_needs_a_sender() {
    let server = ("PLUMBLINE_SMTP_URL", "smtps://user:s3cret@mail.example:465");
    let config = parse(&[server, ("PLUMBLINE_MAIL_FROM", "Plumbline <plumbline@example.com>")]).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    assert_eq!(config.mail.unwrap().from.to_string(), "Plumbline <plumbline@example.com>");
    let errors = mistakes(&[server]);
    assert!(errors[0].starts_with("PLUMBLINE_MAIL_FROM is missing"), "{errors:?}");
    assert!(parse(&[("PLUMBLINE_MAIL_FROM", "plumbline@example.com")]).unwrap().mail.is_none());
}

#[test]
fn base_urls_are_origins() {
    for bad in ["plumbline.example", "ftp://plumbline.example", "https://u:p@h/", "https://h/?x=1", "https://h/#x"] {
        assert!(bad.parse::<BaseUrl>().is_err(), "{bad} was accepted");
    }
    assert_eq!("https://Plumbline.Example:443".parse::<BaseUrl>().unwrap().origin(), "https://plumbline.example");
}

#[test]
fn without_a_base_url_the_listening_address_is_it() {
    let config = parse(&[("PLUMBLINE_LISTEN", "0.0.0.0:0")]).unwrap();
    assert_eq!(config.base_url("0.0.0.0:4711".parse().unwrap()).origin(), "http://localhost:4711");
    assert_eq!(config.base_url("[::1]:4711".parse().unwrap()).origin(), "http://[::1]:4711");
}
