//! The run of a target: its inputs one after the other, each under limits, and what is wrong with them.
use super::{ACCEPTED, Ask, Target, below, hash};
use ridgepole::Rng;
use std::{
    alloc::System,
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{Seek, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Knows how much memory the program holds, and refuses more than a limit.
#[global_allocator]
static HEAP: cap::Cap<System> = cap::Cap::new(System, usize::MAX);

/// Memory for one input, beyond what is held before it. An allocation beyond it fails, as where the machine's memory ends: what is not
/// ready for that aborts the program. Only where a target has the program to itself.
const MEMORY: usize = 256 << 20;
/// An input that takes longer, three times in a row, is a fault.
const SLOW: Duration = Duration::from_secs(4);
/// An input that takes longer ends the program.
const ENDLESS: Duration = Duration::from_secs(60);
/// Gives some work no more memory than so many bytes, where a target has the program to itself: an allocation beyond them ends it.
#[allow(dead_code, reason = "each program uses its own part")]
pub fn within<T>(bytes: u64, work: impl FnOnce() -> T) -> T {
    let limit = HEAP.limit();
    if limit == usize::MAX {
        return work();
    }
    let less = HEAP.allocated().saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX)).min(limit);
    HEAP.set_limit(less).expect("more than is held");
    let out = work();
    HEAP.set_limit(limit).expect("more than is held");
    out
}

/// Inputs that a test makes after it has replayed the corpus.
pub const IN_A_TEST: u64 = 500;
/// Inputs that are kept at most.
const POOL: usize = 8192;

/// What is wrong with an input.
struct Fault {
    /// The same for inputs that fail in the same way.
    kind: String,
    text: String,
}

/// When the current input began, in milliseconds since [`EPOCH`] and plus one; 0 between inputs. Targets take turns.
static BEGAN: AtomicU64 = AtomicU64::new(0);
static EPOCH: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
/// One target at a time: memory and time are those of the process.
static TURN: Mutex<()> = Mutex::new(());
/// The last panic, with its place.
static PANIC: Mutex<String> = Mutex::new(String::new());

fn now() -> u64 {
    EPOCH.elapsed().as_millis() as u64 + 1
}

pub fn watch(watching: &AtomicBool, name: &str) {
    while watching.load(Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
        let began = BEGAN.load(Relaxed);
        if began > 0 && now().saturating_sub(began) > ENDLESS.as_millis() as u64 {
            eprintln!("fuzz {name}: an input takes more than {} s", ENDLESS.as_secs());
            std::process::exit(3);
        }
    }
}

pub struct Run<'a> {
    target: &'a Target<'a>,
    ask: &'a Ask,
    /// Inputs of which each did something new: those that were taken, and those that were refused.
    pools: [Vec<Vec<u8>>; 2],
    seen: HashSet<u64>,
    faults: BTreeMap<String, (u64, String)>,
    tried: u64,
    accepted: u64,
    /// Holds the current input, for the case that the program ends with it.
    current: Option<File>,
    start: Instant,
    said: Instant,
}

impl<'a> Run<'a> {
    pub fn new(target: &'a Target<'a>, ask: &'a Ask) -> Self {
        let current = ask.out.as_ref().map(|out| {
            fs::create_dir_all(out).expect("the folder for what is found can be made");
            File::create(out.join("current")).expect("the folder for what is found can be written into")
        });
        let (start, said) = (Instant::now(), Instant::now());
        Self {
            target,
            ask,
            pools: [vec![], vec![]],
            seen: HashSet::new(),
            faults: BTreeMap::new(),
            tried: 0,
            accepted: 0,
            current,
            start,
            said,
        }
    }

    pub fn all(&mut self) {
        let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
        if self.ask.alone {
            // Behind what the test's harness has begun to write.
            eprintln!();
            std::panic::set_hook(Box::new(|info| *PANIC.lock().unwrap_or_else(|e| e.into_inner()) = info.to_string()));
        }
        if let Some(file) = &self.ask.file {
            let input = fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            eprintln!("{}: {} bytes", file.display(), input.len());
            return self.one(input, true, &file.display().to_string());
        }
        let (seeds, files) = (self.target.seeds.clone(), corpus(self.target.name));
        assert!(!seeds.is_empty() || !files.is_empty(), "{}: no input to begin with", self.target.name);
        // A test of seconds takes a few of them.
        let step = if self.ask.alone { 1 } else { seeds.len().div_ceil(IN_A_TEST as usize).max(1) };
        for (i, seed) in seeds.into_iter().enumerate().step_by(step) {
            self.one(seed, false, &format!("seed {i}"));
        }
        for (name, input) in files {
            self.one(input, true, &name);
        }
        let mut rng = Rng::new(self.ask.seed);
        let first = self.tried;
        while !self.ask.over(self.tried - first, self.start.elapsed()) {
            let kind = usize::from(rng.unit() < 0.3);
            let pool = if self.pools[kind].is_empty() { &self.pools[1 - kind] } else { &self.pools[kind] };
            if pool.is_empty() {
                break;
            }
            // What came last leads on; what came first is not forgotten.
            let recent = pool.len().div_ceil(4);
            let from = if rng.unit() < 0.3 { pool.len() - 1 - below(&mut rng, recent) } else { below(&mut rng, pool.len()) };
            let input = (self.target.mutate)(&mut rng, &pool[from], pool);
            self.one(input, false, "");
        }
    }

    fn one(&mut self, input: Vec<u8>, thorough: bool, name: &str) {
        self.tried += 1;
        match self.attempt(&input, thorough) {
            Ok(did) => {
                if self.ask.file.is_some() {
                    eprintln!("{did}");
                }
                self.accepted += u64::from(did.starts_with(ACCEPTED));
                if self.seen.insert(hash(did.as_bytes())) {
                    let pool = &mut self.pools[usize::from(!did.starts_with(ACCEPTED))];
                    if pool.len() >= POOL {
                        pool.swap_remove(hash(&input) as usize % POOL);
                    }
                    pool.push(input);
                }
            }
            Err(fault) => self.fault(fault, input, name),
        }
        if self.ask.alone && self.said.elapsed() > Duration::from_secs(10) {
            self.said = Instant::now();
            eprintln!("{}", self.words());
        }
    }

    fn words(&self) -> String {
        let Self { tried, pools, .. } = self;
        let seconds = self.start.elapsed().as_secs_f64();
        let faults = self.faults.len();
        format!(
            "fuzz {}: {tried} inputs in {seconds:.0} s ({:.0}/s), seed {}; {:.0} % accepted, {} behaviours, {} kept, {faults} kinds of fault",
            self.target.name,
            *tried as f64 / seconds.max(1e-3),
            self.ask.seed,
            100.0 * self.accepted as f64 / (*tried).max(1) as f64,
            self.seen.len(),
            pools[0].len() + pools[1].len(),
        )
    }

    /// Runs one input under the limits.
    fn attempt(&mut self, input: &[u8], thorough: bool) -> Result<String, Fault> {
        if let Some(file) = &mut self.current {
            let numbers = [self.tried, input.len() as u64].map(u64::to_le_bytes).concat();
            let written = file.rewind().and_then(|()| file.write_all(&[&numbers, input].concat()));
            written.expect("the folder for what is found can be written into");
        }
        let mut least = Duration::MAX;
        for _ in 0..3 {
            let start = Instant::now();
            BEGAN.store(now(), Relaxed);
            if self.ask.alone {
                HEAP.set_limit(HEAP.allocated() + MEMORY).expect("more than is held");
            }
            let result = catch_unwind(AssertUnwindSafe(|| (self.target.run)(input, thorough)));
            if self.ask.alone {
                HEAP.set_limit(usize::MAX).expect("no limit");
            }
            BEGAN.store(0, Relaxed);
            match result {
                Err(payload) => return Err(self.panicked(input, payload.as_ref())),
                Ok(did) if start.elapsed() < SLOW => return Ok(did),
                Ok(_) => least = least.min(start.elapsed()),
            }
        }
        Err(Fault { kind: format!("{}: slow", (self.target.about)(input)), text: format!("takes {:.1} s", least.as_secs_f64()) })
    }

    fn panicked(&self, input: &[u8], payload: &(dyn std::any::Any + Send)) -> Fault {
        let message = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        let text = match self.ask.alone {
            true => PANIC.lock().unwrap_or_else(|e| e.into_inner()).clone(),
            false => message.unwrap_or("a panic").to_string(),
        };
        // The place, and the first words: what follows has values in it.
        let (place, words) = if self.ask.alone { text.split_once('\n').unwrap_or((&text, "")) } else { ("", &*text) };
        let words = words.split_once(": ").map_or(words, |(first, _)| first);
        let words = words.find(|c: char| c.is_ascii_digit()).map_or(words, |end| &words[..end]);
        let kind = format!("{}: {place} {words}", (self.target.about)(input));
        Fault { kind, text }
    }

    /// Notes a fault; the first of its kind is made small and saved.
    fn fault(&mut self, fault: Fault, mut input: Vec<u8>, name: &str) {
        if let Some((count, _)) = self.faults.get_mut(&fault.kind) {
            *count += 1;
            return;
        }
        let start = Instant::now();
        let mut text = fault.text;
        if !fault.kind.ends_with("slow") {
            'smaller: while start.elapsed() < Duration::from_secs(10) {
                for candidate in (self.target.smaller)(&input) {
                    if let Err(same) = self.attempt(&candidate, true)
                        && same.kind == fault.kind
                    {
                        (input, text) = (candidate, same.text);
                        continue 'smaller;
                    }
                    if start.elapsed() > Duration::from_secs(10) {
                        break;
                    }
                }
                break;
            }
        }
        let shown = String::from_utf8_lossy(&input[..input.len().min(600)]).escape_debug().to_string();
        let saved = match &self.ask.out {
            Some(out) => {
                let path = out.join(format!("fault-{:016x}", hash(&input)));
                fs::write(&path, &input).expect("the folder for what is found can be written into");
                format!("cargo xtask fuzz {} --replay {}", self.target.name, path.display())
            }
            None => name.to_string(),
        };
        let text: String = text.chars().take(2000).collect();
        let said = format!("{text}\n  input ({} bytes): {shown}\n  {saved}", input.len());
        if self.ask.alone {
            eprintln!("fault: {said}");
        }
        self.faults.insert(fault.kind, (1, said));
    }

    pub fn finish(self) {
        if self.ask.alone {
            let _ = std::panic::take_hook();
            eprintln!("{}", self.words());
        }
        if let Some(out) = &self.ask.out {
            // Where it stays, the program has ended with that input.
            fs::remove_file(out.join("current")).expect("it was there");
            fs::write(out.join("tried"), self.tried.to_string()).expect("the folder for what is found can be written into");
        }
        let all: Vec<String> = self.faults.values().map(|(count, said)| format!("{count} inputs: {said}")).collect();
        assert!(all.is_empty(), "{}: {} kinds of fault:\n{}", self.target.name, all.len(), all.join("\n"));
    }
}

/// The files of a target's corpus, with their names.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = if package.join("fuzz/corpus").is_dir() { package } else { package.parent().expect("in a workspace") };
    let entries = fs::read_dir(root.join("fuzz/corpus").join(target)).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("readable").path()).collect();
    files.sort();
    files.into_iter().map(|p| (p.display().to_string(), fs::read(&p).expect("readable"))).collect()
}
