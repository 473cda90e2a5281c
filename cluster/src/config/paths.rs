//! Where the weights lie that settings name.

use std::path::Path;

use super::NodeConfig;

impl NodeConfig {
    /// The engines' settings with every path absolute. A relative one is taken from the data directory, wherever the
    /// program was started.
    #[must_use]
    pub fn engines_here(&self) -> models::engine::Settings {
        let mut engines = self.engines.clone();
        engines.weights.folder = absolute(&self.node.data.join(&engines.weights.folder));
        for path in [&mut engines.fastconformer.model, &mut engines.pocketsphinx.model_folder] {
            // Empty means that there is none.
            if !path.is_empty() {
                *path = absolute(&self.node.data.join(&path)).to_string_lossy().into_owned();
            }
        }
        engines
    }
}

/// As it is where the working directory can't be told.
fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_the_data_directorys_and_absolute_ones_stay() {
        let mut config = NodeConfig::default();
        config.node.data = "/var/lib/strowger".into();
        assert_eq!(config.engines_here().weights.folder, Path::new("/var/lib/strowger/weights"));
        assert_eq!(config.engines_here().fastconformer.model, "", "none stays none");
        config.engines.fastconformer.model = "weights/parakeet.nemo".into();
        config.engines.weights.folder = "/srv/weights".into();
        let here = config.engines_here();
        assert_eq!(here.fastconformer.model, "/var/lib/strowger/weights/parakeet.nemo");
        assert_eq!(here.weights.folder, Path::new("/srv/weights"));
        config.node.data = "data".into();
        config.engines.weights.folder = "weights".into();
        let folder = config.engines_here().weights.folder;
        assert!(folder.is_absolute() && folder.ends_with("data/weights"), "{}", folder.display());
    }
}
