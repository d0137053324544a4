//! What `albertine bench` reads when no table is named: texts of a stated length, the same in every run.

/// Words of a generated text, at the least and at the most: news agencies' summaries are about this long.
const WORDS: std::ops::RangeInclusive<usize> = 20..=60;

/// Common words of English news, written down for this purpose.
const VOCABULARY: &str = "a about after again against agency all also an and announced another are as at back bank be because been \
before began between billion board but by called came can central champion chief city coach company could country court crowd data day \
deal decided did down early east economy election end engine even ever expected fans far final first five for found four from game \
global goal gold government great group growth had half has have he head her high him his home hour how if in industry inside interest \
into investors is it its judge just known largest last late lead league leader left less life like little local long made make many \
market match may million minister minutes moon more most much near network never new news night no north not now number of off officials \
oil old on one only open or other our out over own peace people percent phone plan planet play police port power president price \
profit quarter race rain rate record report research right river road rose rule said same satellite say school science season second \
see seven sharp she shares ship shot since small so software some south space start state still stock store storm strong such summer \
system talks team tell test than that the their them then there they third this three through time title to today told took top toward \
town trade train two under union university until up us very vote war was water way we week well went were west what when where which \
while who will win with without women won work world would year yesterday yet young";

/// What the texts are, in words.
pub(super) fn description() -> String {
    format!("generated, {} to {} words each", WORDS.start(), WORDS.end())
}

/// `count` texts of [`WORDS`] words each.
pub(super) fn generate(count: usize) -> Vec<String> {
    let vocabulary: Vec<&str> = VOCABULARY.split_whitespace().collect();
    let mut random = SplitMix64(0);
    let spread = WORDS.end() - WORDS.start() + 1;
    (0..count)
        .map(|_| {
            let words = WORDS.start() + random.below(spread);
            let words: Vec<&str> = (0..words).map(|_| vocabulary[random.below(vocabulary.len())]).collect();
            words.join(" ")
        })
        .collect()
}

/// The SplitMix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; the bias is far below what a length of text could show.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_the_stated_length_and_the_same_in_every_run() {
        let texts = generate(500);
        let lengths: Vec<usize> = texts.iter().map(|text| text.split(' ').count()).collect();
        assert!(lengths.iter().all(|length| WORDS.contains(length)));
        assert!(lengths.contains(WORDS.start()) && lengths.contains(WORDS.end()));
        assert_eq!(texts[..100], generate(100));
    }

    #[test]
    fn the_generator_is_the_published_one() {
        // First outputs for seed 0 of the authors' reference implementation.
        let mut random = SplitMix64(0);
        assert_eq!([random.next(), random.next()], [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4]);
    }
}
