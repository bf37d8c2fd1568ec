//! Closed vocabularies, and words in a sentence.

/// Declares an enum of words in YAML and JSON together with the list of all its words.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $text)] $word,)*
        }

        impl $name {
            /// In the order of the documentation.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$word),*];

            /// The word in YAML and JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)*
                }
            }
        }
    };
}
pub(crate) use vocabulary;

/// With the conjunction `and`: `a, b and c`.
pub(crate) fn joined(items: impl IntoIterator<Item: ToString>, conjunction: &str) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
        None => String::new(),
    }
}
