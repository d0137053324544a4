package albertine;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a text was classified as. */
public final class Prediction {
  private final String label;
  private final float score;
  private final Map<String, Float> scores;

  Prediction(String label, float score, Map<String, Float> scores) {
    this.label = label;
    this.score = score;
    this.scores = Collections.unmodifiableMap(new LinkedHashMap<>(scores));
  }

  /**
   * The label.
   *
   * @return {@code null} where a model that scores each label by itself gives none a score over its threshold
   */
  public String getLabel() {
    return label;
  }

  /**
   * The score of the best label, from 0 to 1.
   *
   * @return the highest score
   */
  public float getScore() {
    return score;
  }

  /**
   * The score of every label, in the order of the model's labels.
   *
   * @return a map that cannot be changed
   */
  public Map<String, Float> getScores() {
    return scores;
  }

  @Override
  public String toString() {
    return label + " (" + score + ")";
  }
}
